// SPDX-License-Identifier: Apache-2.0
#include "store/put.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <vector>

#include "store/batch.h"
#include "store/cleaning.h"
#include "store/log.h"
#include "store/nested.h"
#include "store/recovery.h"
#include "store/writer.h"

namespace ultradict {

namespace {

constexpr int reclaims_max = 1024;  // of one write: each empties a segment, and each gains

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

// Where memory ends because max_bytes does, that is said.
Fault name_bound(const Store& store, Fault fault) {
  const Word bound = store.control().identity.max_bytes;
  if (fault.code != Code::memory_full || fault.error != 0 || bound == 0) return fault;
  return Fault{Code::memory_full, 0, "max_bytes", fault.bound != 0 ? fault.seen : 0, bound};
}

// Whether there is more memory now for what the log, or another file, needs.
bool regain(Store& store) {
  const Entered entered(store);
  if (entered.fault()) return false;
  bool gained = sweep_orphans(store, entered.held()) > 0;
  for (int round = 0; round < reclaims_max && !reclaim(store, entered.held()); ++round) gained = true;
  gained |= store.regions.files().budget().recount(entered.held());
  return gained;
}

bool give_back_free_segments(Store& store) {
  const Entered entered(store);
  bool gained = false;
  while (!entered.fault() && give_back_free_segment(store, entered.held())) gained = true;
  return gained;
}

// What `attempt` says after memory was full by `fault`, if there is more of it now. The log gives up files of its own
// only where that was not enough: others may be faster to have their memory.
template <typename Attempt>
Fault again_with_room(Store& store, Fault fault, const Attempt& attempt) {
  for (const auto gains : {regain, give_back_free_segments}) {
    if (fault.code == Code::memory_full && gains(store)) fault = attempt();
  }
  return name_bound(store, fault);
}

template <typename Attempt>
Fault making_room(Store& store, const Attempt& attempt) {
  const Fault fault = attempt();
  return fault.code == Code::memory_full ? again_with_room(store, fault, attempt) : fault;
}

// The items of a batch: each key once, that of the first item that has it and in its place, with the value of the last.
BatchItems each_key_once(const Store& store, ChildId dict, std::span<const Item> items) {
  constexpr std::uint32_t none = ~std::uint32_t{0};
  BatchItems batch{items};
  batch.keys.reserve(items.size());
  std::vector<std::uint32_t> places(std::bit_ceil(items.size() * 2), none);  // open addressing
  for (std::uint32_t number = 0; number < items.size(); ++number) {
    const Bytes key = items[number].key.canonical;
    const Word hash = store.hash(dict.number, key);
    const auto is_other = [&](const KnownKey& known) {
      return known.hash != hash || items[known.first].key.canonical != key;
    };
    std::size_t at = hash & (places.size() - 1);
    while (places[at] != none && is_other(batch.keys[places[at]])) at = (at + 1) & (places.size() - 1);
    if (places[at] != none) {
      batch.keys[places[at]].item = number;
      continue;
    }
    places[at] = static_cast<std::uint32_t>(batch.keys.size());
    batch.keys.push_back({hash, number, number});
  }
  return batch;
}

bool is_large(const Item& item) { return item.child.number == 0 && item.value.size() > blob_size_min; }

Fault put_staged(Store& store, ChildId dict, BatchItems& batch) {
  std::deque<NewValue> staged;
  batch.staged.clear();
  if (std::ranges::any_of(batch.items, is_large)) batch.staged.resize(batch.keys.size());
  for (std::size_t i = 0; i < batch.staged.size(); ++i) {
    const Item& item = batch.items[batch.keys[i].item];
    if (!is_large(item)) continue;
    batch.staged[i] = &staged.emplace_back(store, item.value);
    if (Fault fault = batch.staged[i]->stage()) return fault;
  }
  return under_lock(store, [&](LockHeld held) { return put_batch(store, held, dict, batch); });
}

}  // namespace

Fault put_key(Store& store, ChildId dict, const Key& key, Bytes value, Sighting* written) {
  if (Fault fault = check_sizes(key, value)) return fault;
  store.prefetch_for_change();
  const Word hash = store.hash(dict.number, key.canonical);
  store.regions.prefetch_slots(hash);
  const auto attempt = [&] {
    NewValue staged(store, value);
    if (Fault fault = staged.stage()) return fault;
    return under_lock(store, [&](LockHeld held) { return put(store, held, dict, key, hash, staged, written); });
  };
  if (value.size() > blob_size_min || !store.try_enter()) return making_room(store, attempt);
  const Fault fault = put_small(store, store.lock.held(), dict, key, hash, value, written);
  store.leave_held();
  return fault.code == Code::memory_full ? again_with_room(store, fault, attempt) : fault;
}

Fault stage_value(Store& store, std::span<const Bytes> parts, std::unique_ptr<NewValue>* staged) {
  Word size = 0;
  for (const Bytes part : parts) size += part.size();
  if (size <= blob_size_min) return Fault{Code::invalid_argument, 0, "size of a large value", size, blob_size_min + 1};
  if (size > value_size_max) return Fault{Code::invalid_argument, 0, "value size", size, value_size_max};
  return making_room(store, [&] {
    *staged = std::make_unique<NewValue>(store, parts, size);
    const Fault fault = (*staged)->stage();
    if (fault) staged->reset();
    return fault;
  });
}

Fault put_staged_key(Store& store, ChildId dict, const Key& key, NewValue& staged, Sighting* written) {
  if (Fault fault = check_sizes(key, {})) return fault;
  const Word hash = store.hash(dict.number, key.canonical);
  return making_room(store, [&] {
    return under_lock(store, [&](LockHeld held) { return put(store, held, dict, key, hash, staged, written); });
  });
}

Fault put_staged_seen(Store& store, Sighting* seen, NewValue& staged) {
  return making_room(
      store, [&] { return under_lock(store, [&](LockHeld held) { return put_at(store, held, seen, staged); }); });
}

Fault put_child(Store& store, ChildId dict, const Key& key, ChildId child, Sighting* written) {
  if (Fault fault = check_sizes(key, {})) return fault;
  const Word hash = store.hash(dict.number, key.canonical);
  return making_room(store, [&] {
    NewValue value(store, child);
    return under_lock(store, [&](LockHeld held) { return put(store, held, dict, key, hash, value, written); });
  });
}

Fault make_child(Store& store, ChildId* child) {
  return making_room(store,
                     [&] { return under_lock(store, [&](LockHeld held) { return make_nested(store, held, child); }); });
}

Fault put_seen(Store& store, Sighting* seen, Bytes value) {
  if (value.size() <= blob_size_min) {
    const Fault tried = try_put_seen(store, seen, value);
    if (tried.code != Code::lock_busy) return tried;
  }
  if (Fault fault = check_sizes({}, value)) return fault;
  return making_room(store, [&] {
    NewValue staged(store, value);
    if (Fault fault = staged.stage()) return fault;
    return under_lock(store, [&](LockHeld held) { return put_at(store, held, seen, staged); });
  });
}

Fault try_put_key(Store& store, ChildId dict, const Key& key, Bytes value, Sighting* written) {
  if (Fault fault = check_sizes(key, value)) return fault;
  if (value.size() > blob_size_min) return too_large_to_try(value);
  store.prefetch_for_change();
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
  store.prefetch_for_change();
  __builtin_prefetch(seen->ref_word);
  store.regions.prefetch(Ref{seen->ref});
  if (!store.try_enter()) return Fault::of(Code::lock_busy);
  const Fault fault = put_small_at(store, store.lock.held(), seen, value);
  store.leave_held();
  return fault.code == Code::memory_full ? Fault::of(Code::lock_busy) : fault;
}

Fault put_items(Store& store, ChildId dict, std::span<const Item> items) {
  for (const Item& item : items) {
    if (Fault fault = check_sizes(item.key, item.value)) return fault;
  }
  BatchItems batch = each_key_once(store, dict, items);
  return making_room(store, [&] { return put_staged(store, dict, batch); });
}

}  // namespace ultradict
