// SPDX-License-Identifier: Apache-2.0
#include "store/table.h"

#include <algorithm>
#include <bit>

namespace ultradict {

namespace {

Fault grow_entries(Store& store, LockHeld held) {
  State& state = store.state();
  const Word from = state.entries_size;
  const Word extent = Regions::extent_of(from);
  if (extent >= extents_max) return Fault::of(Code::memory_full, "the table has all the entries it can have");
  const Word begin = Regions::extent_begin(extent);
  const Word step = std::clamp(from * sizeof(Entry) / 4, page_size, allocation_step);
  const Word to = std::min(Regions::extent_end(extent), from + step / sizeof(Entry));
  const DictFiles& files = store.regions.files();
  const os::FileName name = DictFiles::entries(state.table_number, extent);
  Fault fault;
  if (from == begin) {
    os::File made;
    fault = files.create(held, name, (to - begin) * sizeof(Entry), &made);
  } else {
    fault = files.grow(held, name, (from - begin) * sizeof(Entry), (to - begin) * sizeof(Entry));
  }
  if (fault) return fault;
  Entry* first = nullptr;
  Entry* last = nullptr;
  if (Fault mapping = store.regions.entry(state.table_number, to - 1, &last)) return mapping;
  if (Fault mapping = store.regions.entry(state.table_number, from, &first)) return mapping;
  os::populate(reinterpret_cast<char*>(first), (to - from) * sizeof(Entry));
  shared::store(state.entries_size, to);
  return {};
}

// Of an array with at least so many slots.
Word slots_bits_for(Word wanted) { return std::max(static_cast<Word>(std::bit_width(wanted - 1)), Word{7}); }

Fault begin_growth(Store& store, LockHeld held, Word count) {
  State& state = store.state();
  Word entries = 0;
  if (Fault fault = store.regions.entry_count(state.table_number, &entries)) return fault;
  if (key_count(state) >= state.entries_used || state.entries_used > entries)
    return Fault::damaged("entries: used", key_count(state), state.entries_used);
  // Copying lasts a while, and the keys that come meanwhile must fit too.
  const Word meanwhile = state.entries_used / entries_per_insertion;
  const Word keys = key_count(state) + count;
  const Word wanted = std::max(3 * keys, 2 * (keys + meanwhile));
  const SlotsName name = SlotsName::of(state.next_file, slots_bits_for(wanted));
  shared::store(state.next_file, state.next_file + 1);
  const Word size = std::min(name.count() * sizeof(Word), allocation_step);
  os::File made;
  if (Fault fault = store.regions.files().create(held, DictFiles::slots(name.file()), size, &made)) return fault;
  shared::store(state.next_slots_size, size);
  shared::store(state.next_slots_used, 0);
  shared::store(state.next_entry, 1);
  shared::store(state.next_slots, name.word);
  return {};
}

// Never more than for as many keys as there are entries: a number that lies must not use up the machine.
Fault allocate_next_slots(Store& store, LockHeld held, SlotsName name) {
  State& state = store.state();
  Word entries = 0;
  if (Fault fault = store.regions.entry_count(state.table_number, &entries)) return fault;
  if (name.bits() > slots_bits_for(3 * entries))
    return Fault::damaged("slots being built: their number", name.bits(), slots_bits_for(3 * entries));
  const Word size = std::min(name.count() * sizeof(Word), state.next_slots_size + allocation_step);
  const os::FileName file = DictFiles::slots(name.file());
  if (Fault fault = store.regions.files().grow(held, file, state.next_slots_size, size)) return fault;
  shared::store(state.next_slots_size, size);
  return {};
}

Fault copy_entry(Store& store, const Slots& next, Word number) {
  State& state = store.state();
  Entry* entry = nullptr;
  if (Fault fault = store.regions.entry(state.table_number, number, &entry)) return fault;
  if (entry->ref == 0 || HeaderMark{entry->ref}.is_header()) return {};
  if (next.find_entry(entry->hash, number) != next.count()) return {};
  const Word place = next.place_for(entry->hash);
  if (place == next.count()) return Fault::damaged("slots being built: full", state.next_slots_used, next.count());
  if (next.at(place).is_empty()) shared::store(state.next_slots_used, state.next_slots_used + 1);
  shared::store(next.word(place), Slot::used(number, entry->hash).word);
  return {};
}

// Where the entries of the next step will go: nothing else makes a step as slow as their cache lines.
void prefetch_homes(Store& store, const Slots& next, Word from) {
  const State& state = store.state();
  const Word to = std::min(from + entries_per_insertion, state.entries_used);
  for (Word number = from; number < to; ++number) {
    Entry* entry = nullptr;
    if (!store.regions.entry(state.table_number, number, &entry)) next.prefetch(entry->hash);
  }
}

Fault publish_next_slots(Store& store, LockHeld held) {
  State& state = store.state();
  const SlotsName before{state.slots};
  Change change(store.regions, held);
  change.set(state.slots_used, state.next_slots_used);
  change.set(state.slots, state.next_slots);
  change.set(state.next_slots, 0);
  if (before.file() >= first_file) change.remove_file(FileKind::slots, before.file());
  return change.commit();
}

Fault growth_step(Store& store, LockHeld held) {
  State& state = store.state();
  const SlotsName name{state.next_slots};
  if (state.next_slots_size < name.count() * sizeof(Word)) return allocate_next_slots(store, held, name);
  Word* words = nullptr;
  if (Fault fault = store.regions.next_slots(name, &words)) return fault;
  if (state.next_entry == 0 || state.next_entry > state.entries_used)
    return Fault::damaged("slots being built: next entry", state.next_entry, state.entries_used);
  const Slots next(words, name.bits());
  prefetch_homes(store, next, state.next_entry + entries_per_insertion);
  for (Word copied = 0; copied < entries_per_insertion && state.next_entry < state.entries_used; ++copied) {
    if (Fault fault = copy_entry(store, next, state.next_entry)) return fault;
    shared::store(state.next_entry, state.next_entry + 1);
  }
  return state.next_entry == state.entries_used ? publish_next_slots(store, held) : Fault::none();
}

// More keys came than the array being built was meant for: it is dropped, a larger one will be begun.
void drop_if_too_small(Store& store, LockHeld held, Word count) {
  State& state = store.state();
  if (state.next_slots == 0) return;
  const Word to_copy = std::min(state.entries_used - state.next_entry, key_count(state));
  const Word slots = SlotsName{state.next_slots}.count();
  if (state.next_slots_used + to_copy + count <= Slots::used_max(slots)) return;
  drop_next_slots(store, held);
}

// Without memory for a larger array the one we have serves on: tombstones are room, too, and probes end anyway when
// they have seen every slot.
Fault use_what_is_there(const State& state, Word count) {
  const bool has_room = key_count(state) + count <= Slots::used_max(SlotsName{state.slots}.count());
  return has_room ? Fault::none() : Fault::of(Code::memory_full, "the table is full");
}

bool is_half_full(const State& state, Word count) {
  return (state.slots_used + count) * 2 > SlotsName{state.slots}.count();
}

// Growth goes on with every insertion; it must be over when the current array is full, or when many keys come at once.
Fault make_slots_room(Store& store, LockHeld held, Word count) {
  State& state = store.state();
  const auto is_full = [&] { return state.slots_used + count > Slots::used_max(SlotsName{state.slots}.count()); };
  drop_if_too_small(store, held, count);
  if (state.next_slots == 0 && !is_half_full(state, count)) return {};
  Fault fault;
  const Word before = state.slots;
  do {
    if (state.next_slots == 0) fault = begin_growth(store, held, count);
    if (!fault) fault = growth_step(store, held);
    if (!fault && is_full() && state.slots != before)
      return Fault::damaged("a table made for its keys is full", state.slots_used, key_count(state));
  } while (!fault && is_full());
  return fault.code == Code::memory_full ? use_what_is_there(state, count) : fault;
}

}  // namespace

void drop_next_slots(Store& store, LockHeld held) {
  State& state = store.state();
  if (state.next_slots == 0) return;
  const Word file = SlotsName{state.next_slots}.file();
  Change change(store.regions, held);
  change.set(state.next_slots, 0);
  change.remove_file(FileKind::slots, file);
  (void)change.commit();
}

Fault slot_arrays(Store& store, LockHeld, SlotArrays* arrays) {
  const State& state = store.state();
  Word* words = nullptr;
  const SlotsName name{state.slots};
  if (Fault fault = store.regions.slots(name, &words)) return fault;
  arrays->current = Slots(words, name.bits());
  arrays->grows = state.next_slots != 0 && state.next_slots_size == SlotsName{state.next_slots}.count() * sizeof(Word);
  if (!arrays->grows) return {};
  const SlotsName next{state.next_slots};
  if (Fault fault = store.regions.next_slots(next, &words)) return fault;
  arrays->next = Slots(words, next.bits());
  return {};
}

void prefetch_in_next_slots(Store& store, LockHeld held, Word hash) {
  SlotArrays arrays;
  if (!slot_arrays(store, held, &arrays) && arrays.grows) arrays.next.prefetch(hash);
}

Word unused_entries(const State& state) {
  const Word in_free_list = state.entries_used - 1 - key_count(state) - state.dict_count;
  return in_free_list + (state.entries_size - state.entries_used);
}

bool has_table_room(const State& state) {
  return state.next_slots == 0 && unused_entries(state) != 0 && !is_half_full(state, 1);
}

Fault make_table_room(Store& store, LockHeld held, Word count) {
  while (unused_entries(store.state()) < count) {
    if (Fault fault = grow_entries(store, held)) return fault;
  }
  return make_slots_room(store, held, count);
}

Fault free_entry(Store& store, LockHeld held, FreeEntry* free) {
  return FreeEntries(store.state()).next(store, held, free);
}

Fault FreeEntries::next(Store& store, LockHeld, FreeEntry* free) {
  const State& state = store.state();
  free->from_list = first_free_ != 0;
  free->number = free->from_list ? first_free_ : unused_;
  if (free->number >= state.entries_size) return Fault::damaged("free entry", free->number, state.entries_size);
  if (Fault fault = store.regions.entry(state.table_number, free->number, &free->entry)) return fault;
  if (free->from_list) {
    if (free->entry->ref != 0) return Fault::damaged("free entry: it has a ref", free->entry->ref);
    free->next_free = first_free_ = Links{free->entry->links}.next();
  } else {
    // What a table before this one left here.
    shared::store(free->entry->ref, 0);
    ++unused_;
  }
  return {};
}

Fault find_places(const SlotArrays& arrays, Word hash, SlotPlaces* places) {
  places->current = arrays.current.place_for(hash);
  if (places->current == arrays.current.count()) return Fault::damaged("slots: full", places->current);
  if (!arrays.grows) return {};
  places->next = arrays.next.place_for(hash);
  if (places->next == arrays.next.count()) return Fault::damaged("slots being built: full", places->next);
  return {};
}

void set_slots(Change& change, const SlotArrays& arrays, const SlotPlaces& places, Slot slot) {
  change.set_slot(arrays.current.word(places.current), places.current, slot);
  if (arrays.grows) change.set_next_slot(arrays.next.word(places.next), places.next, slot);
}

Fault insert_slots(Store& store, LockHeld held, Change& change, Word hash, Word entry) {
  State& state = store.state();
  SlotArrays arrays;
  if (Fault fault = slot_arrays(store, held, &arrays)) return fault;
  SlotPlaces places;
  if (Fault fault = find_places(arrays, hash, &places)) return fault;
  if (arrays.current.at(places.current).is_empty()) change.set(state.slots_used, state.slots_used + 1);
  if (arrays.grows && arrays.next.at(places.next).is_empty()) {
    change.set(state.next_slots_used, state.next_slots_used + 1);
  }
  set_slots(change, arrays, places, Slot::used(entry, hash));
  return {};
}

Fault remove_slots(Store& store, LockHeld held, Change& change, Word hash, Word entry) {
  State& state = store.state();
  SlotArrays arrays;
  if (Fault fault = slot_arrays(store, held, &arrays)) return fault;
  const Word place = arrays.current.find_entry(hash, entry);
  if (place == arrays.current.count()) return Fault::damaged("slots: no slot leads to entry", entry);
  const bool empties = arrays.current.at(arrays.current.after(place)).is_empty();
  if (empties) change.set(state.slots_used, state.slots_used - 1);
  change.set_slot(arrays.current.word(place), place, empties ? Slot{} : Slot::tombstone());
  if (!arrays.grows) return {};
  const Word next_place = arrays.next.find_entry(hash, entry);
  if (next_place != arrays.next.count()) {
    change.set_next_slot(arrays.next.word(next_place), next_place, Slot::tombstone());
  }
  return {};
}

}  // namespace ultradict
