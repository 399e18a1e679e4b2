// SPDX-License-Identifier: Apache-2.0
// Cache: the decoded keys and values of one handle, a compact hash table private to the process. A hit is a probe and
// two loads from shared memory (Sighting::current) that say whether the object is still the value of the key.
//
// Invariants
//   An item belongs to one entry of the shared table; no two items have the same entry or equal keys.
//   Removing an item never runs Python code: its references wait in the budget until its owner says that nothing is
//   half-done. Only find() may run Python code (a user's __eq__), and it starts again if that changed
//   the cache.
//
// Bound: about the memory of keys and values (object_size.h) and item_overhead for each item; beyond it the items not
// used since the hand came by are dropped (CLOCK). The caches of a dict and of its nested dicts share it
// (cache_budget.h). Memory that cannot be had makes a cache that knows less, never an error.
//
// Thread safety: everything needs the interpreter lock.
#pragma once

#include <cstdint>
#include <utility>

#include "cache_budget.h"
#include "entry_index.h"
#include "ref.h"
#include "same_key.h"
#include "ultradict/dict.h"

namespace ultradict::python {

class Cache {
 public:
  // What an item costs beyond its objects: the item, its slots, its links, and what allocators lose.
  static constexpr std::uint64_t item_overhead = 176;
  static constexpr std::uint32_t none = EntryIndex::none;

  // One cache line, so that a hit touches one.
  struct alignas(64) Item {
    Py_hash_t hash;
    PyObject* key;    // null: the item is free
    PyObject* value;  // null: only the key and its entry are known
    std::uint64_t ref;
    const std::atomic<std::uint64_t>* ref_word;
    std::uint64_t sequence;
    std::uint64_t born;
    std::uint32_t entry;  // of a free item: the next free one
    std::uint32_t marks;  // used, key_known, and the size in units of 16 bytes
  };
  static_assert(sizeof(Item) == 64);

  Cache() noexcept = default;
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;
  ~Cache();  // everything was cleared and dropped before

  void begin(const Dict& engine, CacheBudget* budget) noexcept;

  // --- looking up ---
  // Exact str and int keys and the very same object, without ever running Python code. Null: not found so easily.
  Item* find_fast(Py_hash_t hash, PyObject* key) noexcept {
    const std::uint32_t tag = tag_of(hash);
    auto perturb = static_cast<std::size_t>(hash);
    for (std::size_t at = perturb & mask_;; at = next_slot(at, &perturb)) {
      const Slot slot = slots_[at];
      if (slot.link == Slot::empty) return nullptr;
      if (slot.tag != tag || slot.link < Slot::first) continue;
      Item& item = items_[slot.link - Slot::first];
      if (item.hash == hash && same_plain_key(item.key, key)) return &item;
    }
  }
  // By Python's ==. 1: `*number` is the item; 0: none; -1: __eq__ raised.
  int find(Py_hash_t hash, PyObject* key, std::uint32_t* number) {
    const std::uint32_t tag = tag_of(hash);
    auto perturb = static_cast<std::size_t>(hash);
    for (std::size_t at = perturb & mask_;; at = next_slot(at, &perturb)) {
      const Slot slot = slots_[at];
      if (slot.link == Slot::empty) return 0;
      if (slot.tag != tag || slot.link < Slot::first) continue;
      *number = slot.link - Slot::first;
      if (items_[*number].hash != hash) continue;
      return same_plain_key(items_[*number].key, key) ? 1 : find_by_python(hash, key, number);
    }
  }
  // The item of an entry, or none.
  std::uint32_t find_entry(std::uint64_t table_number, std::uint32_t entry, std::uint64_t born) const noexcept {
    if (table_number != table_number_) return none;
    const std::uint32_t number = by_entry_.find(entry, items_);
    return number != none && items_[number].born == born ? number : none;
  }
  std::uint32_t find_entry(const Sighting& seen) const noexcept {
    return find_entry(seen.table_number, seen.entry, seen.born);
  }

  // The item of that number if it knows that very value of that entry, in that life of it.
  const Item* find_ref(const Passed& passed, std::uint64_t ref, std::uint32_t number) const noexcept {
    if (number >= item_count_) return nullptr;
    const Item& item = items_[number];
    return item.ref_word == passed.ref_word && item.ref == ref && item.born == passed.born ? &item : nullptr;
  }

  Item& item(std::uint32_t number) noexcept { return items_[number]; }
  std::uint32_t number_of(const Item& item) const noexcept { return static_cast<std::uint32_t>(&item - items_); }

  // The value is unchanged. First the table: of an old one the ref word may be unmapped, by another handle of the dict.
  bool current(const Item& item) const noexcept {
    return table_current() && item.ref_word->load(std::memory_order_acquire) == item.ref;
  }
  // The table of that number is the one there is now, and the one the cache follows.
  bool is_table(std::uint64_t number) const noexcept { return number == table_number_ && table_current(); }
  bool table_current() const noexcept { return table_word_->load(std::memory_order_acquire) == table_number_; }
  // The item's entry may be asked for by reread() and put_at().
  bool entry_known(const Item& item) const noexcept { return item.ref_word != &never_ && table_current(); }
  Sighting sighting(const Item& item) const noexcept;
  static bool key_known(const Item& item) noexcept { return (item.marks & key_known_mark) != 0; }
  static void touch(Item& item) noexcept {
    if ((item.marks & used_mark) == 0) item.marks |= used_mark;
  }
  // Now and then, one in a thousand times, true: time for what nobody waits for (Session::tidy).
  bool count_hit() noexcept { return ++hits_ % 1024 == 0; }
  std::uint64_t hits() const noexcept { return hits_; }

  // --- learning ---
  // Changes with every insertion and removal: item numbers found before Python code ran hold if it did not change.
  std::uint64_t version() const noexcept { return version_; }
  // Follows a sighting in a newer table: what is known of entries is forgotten, objects are kept. False: it is of an
  // older one, of which nothing may be learnt any more.
  bool follow_table(const Sighting& seen) noexcept { return follow_table(*seen.table_word, seen.table_number); }
  bool follow_table(const std::atomic<std::uint64_t>& word, std::uint64_t number) noexcept;
  // Nothing in it is current any more, nor what is still on its way into it.
  void expire() noexcept;
  // When no operation is under way the engine may unmap the table that was left.
  bool table_was_left() const noexcept { return table_left_; }
  // No table before the one that there is now is needed any more.
  void leave_old_tables() noexcept {
    (void)follow_table(*table_word_, table_word_->load(std::memory_order_acquire));
    table_left_ = false;
  }
  // A key that is not in the cache; `value` may be null. `size`: encoded bytes of both. `key_known`: the object is
  // equal in type to the one first inserted. Does nothing if the cache is off or there is no room for it.
  void insert(Py_hash_t hash, PyObject* key, bool key_known, PyObject* value, const Sighting& seen, std::uint64_t size);
  // A new value (or null) for an item; the old one is doomed.
  void renew(Item& item, PyObject* value, const Sighting& seen, std::uint64_t size) noexcept;
  // The same for an entry that stayed, where the old value runs no Python code when it goes and the new one is as
  // large.
  static void replace_value(Item& item, PyObject* value, const Sighting& seen) noexcept {
    item.ref = seen.ref;
    item.sequence = seen.sequence;
    touch(item);
    Py_INCREF(value);
    Py_DECREF(std::exchange(item.value, value));
  }
  // The value is the old one, its place is new.
  void replace_ref(Item& item, const Sighting& seen) noexcept;
  void set_key(Item& item, PyObject* key) noexcept;
  void remove(std::uint32_t number) noexcept;
  void clear() noexcept;

  // --- size ---
  bool enabled() const noexcept { return size_max() != 0; }
  bool has_room(std::uint64_t size) const noexcept { return budget_->has_room(size + item_overhead); }
  std::uint64_t size() const noexcept { return size_; }
  std::uint64_t size_max() const noexcept { return budget_ != nullptr ? budget_->size_max() : 0; }
  std::uint32_t count() const noexcept { return item_count_ - free_count_; }
  int traverse(visitproc visit, void* arg);

 private:
  friend class CacheBudget;

  static constexpr std::uint32_t used_mark = 0x80000000;
  static constexpr std::uint32_t key_known_mark = 0x40000000;
  static constexpr std::uint32_t units_mask = 0x3fffffff;

  struct Slot {
    static constexpr std::uint32_t empty = 0;
    static constexpr std::uint32_t deleted = 1;
    static constexpr std::uint32_t first = 2;  // and above: the number of an item, plus this
    std::uint32_t link;
    std::uint32_t tag;
  };

  static std::uint32_t tag_of(Py_hash_t hash) noexcept {
    const auto bits = static_cast<std::uint64_t>(hash);
    return static_cast<std::uint32_t>(bits ^ (bits >> 32));
  }
  std::size_t next_slot(std::size_t at, std::size_t* perturb) const noexcept {
    *perturb >>= 5;
    return (at * 5 + *perturb + 1) & mask_;
  }

  int find_by_python(Py_hash_t hash, PyObject* key, std::uint32_t* number);
  bool reserve_slot() noexcept;
  bool rebuild_slots(std::size_t slot_count) noexcept;
  bool reserve_item() noexcept;
  bool grow_items(std::size_t count) noexcept;
  void place(std::uint32_t number) noexcept;
  void set_size(Item& item, std::uint64_t size) noexcept;
  void set_sighting(Item& item, std::uint32_t number, const Sighting& seen) noexcept;
  void follow_entry(Item& item, std::uint32_t number, const Sighting& seen) noexcept;
  void evict(std::uint32_t kept) noexcept;
  void doom(PyObject* object) noexcept { budget_->doom(object); }

  static constexpr Slot no_slots_[1] = {{Slot::empty, 0}};
  static const std::atomic<std::uint64_t> never_;  // the ref word of an item whose entry is not known: holds no ref

  // Used by every hit.
  const Slot* slots_ = no_slots_;
  std::size_t mask_ = 0;
  Item* items_ = nullptr;
  const std::atomic<std::uint64_t>* table_word_ = &never_;
  std::uint64_t table_number_ = 0;
  std::uint64_t hits_ = 0;  // look-ups by key that it answered

  Slot* own_slots_ = nullptr;
  std::size_t slots_used_ = 0;  // deleted ones included
  char* items_memory_ = nullptr;
  std::uint32_t item_count_ = 0;
  std::uint32_t item_capacity_ = 0;
  std::uint32_t first_free_ = none;
  std::uint32_t free_count_ = 0;
  std::uint32_t hand_ = 0;
  EntryIndex by_entry_;
  std::uint64_t size_ = 0;
  CacheBudget* budget_ = nullptr;
  Cache* ring_next_ = nullptr;  // of the caches that share the budget
  Cache* ring_previous_ = nullptr;
  std::uint64_t version_ = 0;
  bool table_left_ = false;
};

}  // namespace ultradict::python
