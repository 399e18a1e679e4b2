// SPDX-License-Identifier: Apache-2.0
#include "store/locate.h"

#include <algorithm>

#include "store/glance.h"
#include "store/reserve.h"
#include "structures/slots.h"

namespace ultradict {

namespace {

[[gnu::always_inline]] inline Fault look_in_place(Store& store, Ref ref, RecordView* view) {
  constexpr Word first_look = 512;  // enough for the whole of most records
  const SegmentDescriptor& segment = store.control().segments[ref.segment()];
  const Word file = shared::load_relaxed(segment.file);
  const Word first = shared::load_relaxed(segment.first);
  const Word size = shared::load_relaxed(segment.size);
  if (file == 0 || ref.position() < first) return Fault::damaged("entry: ref", ref.word, first);
  const Word offset = (ref.position() - first) * unit_size;
  if (offset + sizeof(RecordHeader) > size) return Fault::damaged("entry: ref", ref.word, size);
  const Word there = std::min(offset + first_look, size);
  char* base = nullptr;
  if (Fault fault = store.regions.segment(ref.segment(), file, there, &base)) return fault;
  shared::copy_out(&view->header, base + offset, sizeof view->header);
  if (Fault fault = check_header(view->header, ref, size - offset)) return fault;
  if (offset + view->size() > there) {
    if (Fault fault = store.regions.segment(ref.segment(), file, offset + view->size(), &base)) return fault;
  }
  view->bytes = base + offset;
  return {};
}

// The record of an entry, which is its own.
Fault look_in_place(Store& store, Word number, const Entry& entry, RecordView* view) {
  if (Fault fault = look_in_place(store, Ref{entry.ref}, view)) return fault;
  return check_own(view->header, number, entry.born);
}

// A key that is there, where all is as usual. False is no answer.
bool locate_at_a_glance(Store& store, Word dict, Bytes key, Word hash, Located* located) {
  const State& state = store.state();
  const SlotsName name{state.slots};
  const Word* const slots = store.regions.known_slots(name);
  const Word number = slots ? entry_at_a_glance(slots, name, hash) : 0;
  if (number == 0 || number >= state.entries_used) return false;
  Entry* const entry = store.regions.known_entry(state.table_number, number);
  if (!entry || entry->hash != hash || entry->ref == 0) return false;
  if (look_in_place(store, number, *entry, &located->view)) return false;
  if (!is_same(located->view.key(), key) || located->view.header.dict_id != dict) return false;
  located->entry = entry;
  located->number = number;
  return true;
}

}  // namespace

Fault record_in_place(Store& store, LockHeld, Ref ref, RecordView* view) { return look_in_place(store, ref, view); }

Fault check_length_carefully(Store& store, const RecordView& view) {
  const Control& control = store.control();
  const Ref ref{view.header.ref};
  const Ref next = Ref::at(ref.position() + view.size() / unit_size, ref.segment());
  if (next.position() == end_of_records(control, ref.segment())) return {};
  const SegmentDescriptor& segment = control.segments[ref.segment()];
  const Word offset = (next.position() - segment.first) * unit_size;
  char* base = nullptr;
  if (Fault fault = store.regions.segment(ref.segment(), segment.file, offset + sizeof(Word), &base)) return fault;
  const Word found = shared::load_relaxed(*reinterpret_cast<const Word*>(base + offset));
  return found == next.word ? Fault::none() : Fault::damaged("record: size", view.size(), found);
}

Fault check_hash(const Store& store, const Located& located, Bytes key) {
  const Word hash = store.hash(located.view.header.dict_id, key);
  return located.entry->hash == hash ? Fault::none()
                                     : Fault::damaged("entry: hash of its key", located.entry->hash, hash);
}

Fault locate_entry(Store& store, LockHeld, Word number, Located* located) {
  located->number = number;
  if (Fault fault = store.regions.entry(store.state().table_number, number, &located->entry)) return fault;
  return look_in_place(store, number, *located->entry, &located->view);
}

// The table is still the one of the Sighting, so its entry is where it was.
Fault locate_seen(Store& store, LockHeld, const Sighting& seen, Located* located) {
  const State& state = store.state();
  if (state.table_number != seen.table_number || seen.entry >= state.entries_used) return Fault::of(Code::changed);
  located->entry = reinterpret_cast<Entry*>(const_cast<std::atomic<std::uint64_t>*>(seen.ref_word));
  if (seen.born == 0 || located->entry->born != seen.born || located->entry->ref == 0) return Fault::of(Code::changed);
  located->number = seen.entry;
  return look_in_place(store, seen.entry, *located->entry, &located->view);
}

Fault locate(Store& store, LockHeld, Word dict, Bytes key, Word hash, Located* located) {
  if (!store.last_put_inserted && locate_at_a_glance(store, dict, key, hash, located)) return {};
  const State& state = store.state();
  Word* words = nullptr;
  const SlotsName name{state.slots};
  if (Fault fault = store.regions.slots(name, &words)) return fault;
  Fault inner;
  bool found = false;
  const Fault fault = Slots(words, name.bits()).probe(hash, &found, [&](Word, Word number) {
    if (number == 0 || number >= state.entries_used) {
      inner = Fault::damaged("slot: entry number", number, state.entries_used);
      return true;
    }
    inner = store.regions.entry(state.table_number, number, &located->entry);
    if (inner) return true;
    located->number = number;
    if (located->entry->ref == 0) {
      inner = Fault::damaged("slot: its entry has no ref", number);
      return true;
    }
    inner = look_in_place(store, number, *located->entry, &located->view);
    // With a wrong one the key would be inserted once more.
    if (!inner) inner = check_hash(store, *located, located->view.key());
    return inner || (located->view.key() == key && located->view.header.dict_id == dict);
  });
  if (fault) return fault;
  if (inner) return inner;
  if (!found) located->number = 0;
  return {};
}

}  // namespace ultradict
