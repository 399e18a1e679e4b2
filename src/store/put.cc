// SPDX-License-Identifier: Apache-2.0
#include "store/put.h"

#include <deque>
#include <unordered_map>
#include <vector>

#include "store/batch.h"
#include "store/cleaning.h"
#include "store/log.h"
#include "store/nested.h"
#include "store/recovery.h"
#include "store/writer.h"

namespace ultradict {

namespace {

Fault check_sizes(const Key& key, Bytes value) {
  const auto too_large = [](const char* what, Word size, Word bound) {
    return Fault{Code::invalid_argument, 0, what, size, bound};
  };
  if (key.canonical.size() > key_size_max) return too_large("key size", key.canonical.size(), key_size_max);
  if (key.face.size() > key_size_max) return too_large("size of a key's face", key.face.size(), key_size_max);
  if (value.size() > value_size_max) return too_large("value size", value.size(), value_size_max);
  return {};
}

Fault too_large_to_try(Bytes value) {
  return Fault{Code::invalid_argument, 0, "value size", value.size(), blob_size_min};
}

template <typename Attempt>
Fault making_room(Store& store, const Attempt& attempt) {
  const Fault fault = attempt();
  if (fault.code != Code::memory_full) return fault;
  {
    const Entered entered(store);
    if (entered.fault()) return fault;
    bool gained = sweep_orphans(store, entered.held()) > 0;
    while (!reclaim(store, entered.held())) gained = true;
    while (give_back_free_segment(store, entered.held())) gained = true;
    if (!gained) return fault;
  }
  return attempt();
}

// Which item gives each key its value: the last one, in the place of the first.
std::vector<std::size_t> last_items(std::span<const Item> items) {
  std::unordered_map<Bytes, std::size_t> places;
  places.reserve(items.size());
  std::vector<std::size_t> last;
  last.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto [place, is_new] = places.try_emplace(items[i].key.canonical, last.size());
    if (is_new) {
      last.push_back(i);
    } else {
      last[place->second] = i;
    }
  }
  return last;
}

Fault put_staged(Store& store, ChildId dict, std::span<const Item> items, std::span<const std::size_t> chosen) {
  std::vector<Key> keys;
  std::deque<NewValue> values;
  std::vector<NewValue*> staged;
  for (const std::size_t i : chosen) {
    const Item& item = items[i];
    keys.push_back(item.key);
    NewValue& value =
        item.child.number != 0 ? values.emplace_back(store, item.child) : values.emplace_back(store, item.value);
    if (Fault fault = value.stage()) return fault;
    staged.push_back(&value);
  }
  const Entered entered(store);
  return entered.fault() ? entered.fault() : put_batch(store, entered.held(), dict, keys, staged);
}

}  // namespace

Fault put_key(Store& store, ChildId dict, const Key& key, Bytes value, Sighting* written) {
  if (Fault fault = check_sizes(key, value)) return fault;
  const Word hash = store.hash(dict.number, key.canonical);
  return making_room(store, [&] {
    NewValue staged(store, value);
    if (Fault fault = staged.stage()) return fault;
    const Entered entered(store);
    return entered.fault() ? entered.fault() : put(store, entered.held(), dict, key, hash, staged, written);
  });
}

Fault put_child(Store& store, ChildId dict, const Key& key, ChildId child, Sighting* written) {
  if (Fault fault = check_sizes(key, {})) return fault;
  const Word hash = store.hash(dict.number, key.canonical);
  return making_room(store, [&] {
    NewValue value(store, child);
    const Entered entered(store);
    return entered.fault() ? entered.fault() : put(store, entered.held(), dict, key, hash, value, written);
  });
}

Fault put_seen(Store& store, Sighting* seen, Bytes value) {
  if (Fault fault = check_sizes({}, value)) return fault;
  return making_room(store, [&] {
    NewValue staged(store, value);
    if (Fault fault = staged.stage()) return fault;
    const Entered entered(store);
    return entered.fault() ? entered.fault() : put_at(store, entered.held(), seen, staged);
  });
}

Fault try_put_key(Store& store, ChildId dict, const Key& key, Bytes value, Sighting* written) {
  if (Fault fault = check_sizes(key, value)) return fault;
  if (value.size() > blob_size_min) return too_large_to_try(value);
  const Word hash = store.hash(dict.number, key.canonical);
  store.regions.prefetch_slots(hash);
  if (!store.try_enter()) return Fault::of(Code::lock_busy);
  NewValue small(store, value);
  const Word exotic = dict.number == 0 ? store.state().exotic_count : counts_of_nested(store, dict).exotic;
  Fault fault = Fault::of(Code::lock_busy);
  if (exotic == 0) fault = put(store, store.lock.held(), dict, key, hash, small, written, Expect::new_key);
  store.leave_held();
  return fault.code == Code::memory_full ? Fault::of(Code::lock_busy) : fault;
}

Fault try_put_seen(Store& store, Sighting* seen, Bytes value) {
  if (value.size() > blob_size_min) return too_large_to_try(value);
  // Taking the lock waits for every load before it and holds up every one after it: what will be read is fetched now.
  __builtin_prefetch(seen->ref_word);
  store.regions.prefetch(Ref{seen->ref});
  if (!store.try_enter()) return Fault::of(Code::lock_busy);
  NewValue small(store, value);
  const Fault fault = put_at(store, store.lock.held(), seen, small);
  store.leave_held();
  return fault.code == Code::memory_full ? Fault::of(Code::lock_busy) : fault;
}

Fault put_items(Store& store, ChildId dict, std::span<const Item> items) {
  for (const Item& item : items) {
    if (Fault fault = check_sizes(item.key, item.value)) return fault;
  }
  const std::vector<std::size_t> chosen = last_items(items);
  return making_room(store, [&] { return put_staged(store, dict, items, chosen); });
}

}  // namespace ultradict
