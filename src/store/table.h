// SPDX-License-Identifier: Apache-2.0
// Table: room for entries and slots, and the growth of both in steps that every insertion pays.
//
// Slots double from half full. The new array is allocated a step per insertion, then filled with entries_per_insertion
// entries per insertion; insertions and deletions meanwhile go to both arrays; one change makes it the current one.
// Nobody looks at it before, and to insert an entry that is there already does nothing: so filling it needs no journal.
#pragma once

#include "store/change.h"
#include "store/store.h"
#include "structures/slots.h"

namespace ultradict {

inline constexpr Word entries_per_insertion = 8;

// Both arrays while the table grows; `next` is empty otherwise.
struct SlotArrays {
  Slots current;
  Slots next;
  bool grows = false;
};
Fault slot_arrays(Store& store, LockHeld held, SlotArrays* arrays);

void prefetch_in_next_slots(Store& store, LockHeld held, Word hash);

// A hint that the slots of this hash in the array being built, if there is one, will be read soon.
inline void prefetch_next_slots(Store& store, LockHeld held, Word hash) {
  if (store.state().next_slots != 0) prefetch_in_next_slots(store, held, hash);
}

// The array being built is given up.
void drop_next_slots(Store& store, LockHeld held);

// An entry for a new key, not yet taken out of the free list or the unused ones.
struct FreeEntry {
  Word number = 0;
  Entry* entry = nullptr;
  Word next_free = 0;
  bool from_list = false;
};

// Entries that keys to come can have without more memory.
Word unused_entries(const State& state);
// Whether one more key can be inserted as it is: no memory is taken, no growth goes on.
bool has_table_room(const State& state);
// Makes sure that `count` keys can be inserted; takes one growth step. memory_full if not.
Fault make_table_room(Store& store, LockHeld held, Word count);
Fault free_entry(Store& store, LockHeld held, FreeEntry* free);
// Adds the store that takes it.
inline void take_entry(Change& change, State& state, const FreeEntry& free) {
  if (free.from_list) return change.set(state.free_entry, free.next_free);
  change.set(state.entries_used, state.entries_used + 1);
}

// Adds those by which it becomes that of a key; its ref, which shows the key, comes last of all.
inline void begin_life(Change& change, const FreeEntry& free, Word born, Word hash, Links links) {
  change.set(free.number, *free.entry, Change::Field::born, born);
  if (free.from_list) {
    // Behind born: who follows the free list must not take it for the time of a deletion.
    change.set(free.number, *free.entry, Change::Field::hash, hash);
  } else {
    shared::store(free.entry->hash, hash);  // nobody looks at it yet
  }
  change.set(free.number, *free.entry, Change::Field::links, links.word);
}

// Adds the stores that give it back, of which ref = 0 is not one, at this value of State::stream. Who walks the free
// list without the lock must not take links that are still those of a key for those of the list.
inline void give_entry(Change& change, State& state, Word number, Entry& entry, Word stream) {
  change.set(number, entry, Change::Field::hash, being_freed);
  change.set(number, entry, Change::Field::born, 0);
  change.set(number, entry, Change::Field::links, Links::of(0, state.free_entry).word);
  change.set(number, entry, Change::Field::hash, stream);
  change.set(state.free_entry, number);
}

// Free entries in the order in which insertions take them, when they take several.
class FreeEntries {
 public:
  explicit FreeEntries(const State& state) : first_free_(state.free_entry), unused_(state.entries_used) {}

  Fault next(Store& store, LockHeld held, FreeEntry* free);
  // Adds the stores that take those handed out.
  void take(Change& change, State& state) const {
    if (first_free_ != state.free_entry) change.set(state.free_entry, first_free_);
    if (unused_ != state.entries_used) change.set(state.entries_used, unused_);
  }

 private:
  Word first_free_;
  Word unused_;
};

// Keys of all dicts: what the slots lead to.
inline Word key_count(const State& state) { return state.count + state.nested_count; }

// Where a new key of that hash goes, in each of the arrays.
struct SlotPlaces {
  Word current = 0;
  Word next = 0;
};
Fault find_places(const SlotArrays& arrays, Word hash, SlotPlaces* places);
// Adds the stores that put the entry there; the counts of used slots are the caller's to add: one for each of the two
// places that is empty.
void set_slots(Change& change, const SlotArrays& arrays, const SlotPlaces& places, Slot slot);

// Adds the stores that put the entry into the slot arrays, or take it out.
Fault insert_slots(Store& store, LockHeld held, Change& change, Word hash, Word entry);
Fault remove_slots(Store& store, LockHeld held, Change& change, Word hash, Word entry);

}  // namespace ultradict
