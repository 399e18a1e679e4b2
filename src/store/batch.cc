// SPDX-License-Identifier: Apache-2.0
#include "store/batch.h"

#include <algorithm>

#include "store/cleaning.h"
#include "store/dict_header.h"
#include "store/nested.h"
#include "store/successor.h"
#include "store/table.h"
#include "store/writer.h"
#include "structures/record.h"

namespace ultradict {

namespace {

Word content_size(const Item& item) { return item.child.number != 0 ? sizeof(ChildValue) : item.value.size(); }
Word size_in_record(const Item& item) {
  return item.child.number == 0 && item.value.size() > blob_size_min ? sizeof(BlobValue) : content_size(item);
}

// Maps what the changes after the commit will touch: they should not be the first to find that it cannot be had.
Fault meet_what_applying_needs(Store& store, LockHeld held, ChildId dict) {
  SlotArrays arrays;
  if (Fault fault = slot_arrays(store, held, &arrays)) return fault;
  DictHeader header;
  if (Fault fault = DictHeader::find(store, held, dict.number, &header)) return fault;
  Entry* last = nullptr;
  const Word number = header.ends().next();
  return number != 0 ? store.regions.entry(store.state().table_number, number, &last) : Fault::none();
}

// Memory that the records can go to, at most: what is free, or could be made so, of the log.
Word log_room(const Control& control) {
  Word room = control.segments[Ref{control.state.tail}.segment()].size - tail_offset(control) + dead_size(control);
  for (Word number = 0; number < segments_max; ++number) {
    if (is_free(control, number)) room += control.segments[number].size;
  }
  return room;
}

// The table grows for a batch and stays so. That is not done for one whose records, of `size` bytes in all, have no
// room whatever becomes of them.
Fault check_room(Store& store, LockHeld held, Word new_keys, Word size) {
  const Word unused = unused_entries(store.state());
  const Word for_entries = new_keys > unused ? (new_keys - unused) * sizeof(Entry) : 0;
  const Word room = log_room(store.control());
  const Word for_log = size > room ? size - room : 0;
  if (for_entries + for_log == 0) return {};
  return store.regions.files().budget().check_left(held, for_entries + for_log);
}

// What must be there before anything is written: the dicts, entries and slots for the new keys, content within its
// bound. Finds the entries of the keys that are there.
Fault prepare(Store& store, LockHeld held, ChildId dict, BatchItems& batch) {
  constexpr std::size_t ahead = 8;
  Word new_keys = 0;
  Word added = 0;
  Word removed = 0;
  Word records = 0;
  for (std::size_t i = 0; i < batch.keys.size(); ++i) {
    KnownKey& key = batch.keys[i];
    const Item& item = batch.items[key.item];
    const Key& text = batch.items[key.first].key;
    if (i + ahead < batch.keys.size()) store.regions.prefetch_slots(batch.keys[i + ahead].hash);
    Located located;
    if (Fault fault = locate(store, held, dict.number, text.canonical, key.hash, &located)) return fault;
    if (item.child.number != 0) {
      if (Fault fault = check_link(store, held, dict, item.child)) return fault;
    }
    if (located.number != 0 && located.view.is_child()) {  // it loses a link: nothing may fail behind the commit
      DictHeader header;
      if (Fault fault = DictHeader::find_nested(store, held, located.view.child().number, &header)) return fault;
    }
    key.entry = static_cast<std::uint32_t>(located.number);
    new_keys += located.number == 0 ? 1 : 0;
    added += text.canonical.size() + text.face.size() + content_size(item);
    removed += located.number == 0 ? 0 : located.view.content_size();
    records += record_size(text.canonical.size(), text.face.size(), size_in_record(item));
  }
  const Word bound = store.control().identity.full_dump_size;
  const Word content = store.state().content_size + added - removed;
  if (bound != 0 && content > bound) return Fault{Code::content_full, 0, "full_dump_size", content, bound};
  if (Fault fault = check_room(store, held, new_keys, records)) return fault;
  if (Fault fault = make_table_room(store, held, new_keys)) return fault;
  return meet_what_applying_needs(store, held, dict);
}

// The record of a key that is there keeps its key and face; room for it may have been made by moving the old one.
Fault append_overwrite(Store& store, LockHeld held, Word entry, Bytes canonical, NewValue& value, RecordView* now,
                       Room* room) {
  Located old;
  if (Fault fault = locate_entry(store, held, entry, &old)) return fault;
  const RecordHeader header = old.view.header;
  const Word size = record_size(header.key_size, header.face_size, value.bytes().size());
  if (Fault fault = make_room(store, held, size, room)) return fault;
  if (Fault fault = locate_entry(store, held, entry, &old)) return fault;
  if (old.view.key() != canonical || old.view.header.face_size != header.face_size)
    return Fault::damaged("record: key or face", old.view.header.key_size, header.key_size);
  KeptKey key;
  if (Fault fault = key.take(store, old, &canonical)) return fault;
  write_new_record(*room, header.dict_id, entry, key.key(), value, now);
  return {};
}

Fault append_insertion(Store& store, LockHeld held, Word dict, Word entry, const Key& key, NewValue& value,
                       RecordView* now, Room* room) {
  const Word size = record_size(key.canonical.size(), key.face.size(), value.bytes().size());
  if (Fault fault = make_room(store, held, size, room)) return fault;
  write_new_record(*room, dict, entry, key, value, now);
  return {};
}

Fault append(Store& store, LockHeld held, Word dict, const Key& key, Word entry, NewValue& value,
             FreeEntries& free_entries) {
  RecordView now;
  Room room;
  Fault fault;
  if (entry != 0) {
    fault = append_overwrite(store, held, entry, key.canonical, value, &now, &room);
  } else {
    FreeEntry free;
    fault = free_entries.next(store, held, &free);
    if (!fault) fault = append_insertion(store, held, dict, free.number, key, value, &now, &room);
  }
  if (fault) return fault;
  if (Fault unpublished = value.publish(held, now.header.sequence)) return unpublished;
  const Word position = room.ref.position() + now.size() / unit_size;
  shared::store(store.state().tail, Ref::at(position, room.ref.segment()).word);
  return {};
}

Fault append_all(Store& store, LockHeld held, Word dict, const BatchItems& batch) {
  FreeEntries free_entries(store.state());
  for (std::size_t i = 0; i < batch.keys.size(); ++i) {
    const Item& item = batch.items[batch.keys[i].item];
    NewValue* const staged = batch.staged.empty() ? nullptr : batch.staged[i];
    NewValue small = item.child.number != 0 ? NewValue(store, item.child) : NewValue(store, item.value);
    NewValue& value = staged ? *staged : small;
    const Key& key = batch.items[batch.keys[i].first].key;
    if (Fault fault = append(store, held, dict, key, batch.keys[i].entry, value, free_entries)) return fault;
  }
  return {};
}

Fault commit(Store& store, LockHeld held, Ref first) {
  State& state = store.state();
  Change change(store.regions, held);
  change.set(state.pending_end, Ref{state.tail}.position());
  change.set(state.pending, first.word);
  return change.commit();
}

// The position of the next record is that of the tail; its segment is known once there is room for it.
Fault find_first(Store& store, Word position, Ref* first) {
  const Control& control = store.control();
  for (Word number = 0; number < segments_max; ++number) {
    const SegmentDescriptor& segment = control.segments[number];
    const bool is_tail = Ref{control.state.tail}.segment() == number;
    const Word end = is_tail ? Ref{control.state.tail}.position() : segment.first + segment.filled / unit_size;
    if ((is_tail || is_closed(control, number)) && position >= segment.first && position < end) {
      *first = Ref::at(position, number);
      return {};
    }
  }
  return Fault::damaged("batch: no segment holds position", position);
}

// Takes the number of its entry from a record that nobody named: else it would look like a newer value of its key.
Fault disown(Store& store, LockHeld held, Ref ref, Word* size) {
  RecordView view;
  Entry* entry = nullptr;
  if (Fault fault = record_in_place(store, held, ref, &view)) return fault;
  *size = view.size();
  const Word number = view.header.entry;
  if (number == 0 || view.header.sequence != ref.position()) return {};  // moved there by cleaning
  if (number < store.state().entries_used) {
    if (Fault fault = store.regions.entry(store.state().table_number, number, &entry)) return fault;
    if (entry->ref == ref.word) return {};
  }
  auto* words = reinterpret_cast<Word*>(const_cast<char*>(view.bytes));
  shared::store(words[offsetof(RecordHeader, entry) / sizeof(Word)], 0);
  return {};
}

Fault disown_records(Store& store, LockHeld held, Word begin) {
  const Control& control = store.control();
  for (Word number = 0; number < segments_max; ++number) {
    const Word end = end_of_records(control, number);
    for (Word at = std::max(begin, control.segments[number].first); at < end;) {
      Word size = 0;
      if (Fault fault = disown(store, held, Ref::at(at, number), &size)) return fault;
      at += size / unit_size;
    }
  }
  return {};
}

// What its records protected is free to go.
void end_batch(Store& store, LockHeld held) {
  for (Word number = 0; number < segments_max; ++number) free_if_empty(store, held, number);
  refresh_log_hints(store);
}

}  // namespace

Fault put_batch(Store& store, LockHeld held, ChildId dict, BatchItems& batch) {
  if (Fault fault = check_alive(store, dict)) return fault;
  if (batch.keys.empty()) return {};
  State& state = store.state();
  if (Fault fault = prepare(store, held, dict, batch)) return fault;
  const Word begin = Ref{state.tail}.position();
  shared::store(state.batch_begin, begin);
  Fault fault = append_all(store, held, dict.number, batch);
  Ref first;
  if (!fault) fault = find_first(store, begin, &first);
  if (!fault) fault = commit(store, held, first);
  if (fault) {
    if (!store.poison()) (void)abandon_batch(store, held);  // or the next owner does
    return fault;
  }
  const Word appended = (Ref{state.tail}.position() - begin) * unit_size;
  if (Fault finishing = finish_batch(store, held, batch.keys)) return after_commit(finishing);
  if (Fault settling = settle_nested(store, held)) return after_commit(settling);
  return after_commit(pay_cleaning(store, held, appended));
}

Fault finish_batch(Store& store, LockHeld held, std::span<const KnownKey> known) {
  const Word begin = store.state().batch_begin;
  const Word at = Ref{store.state().pending}.position();
  // One that was applied long ago must not be applied again.
  if (begin == 0 || at < begin || at >= store.state().pending_end)
    return Fault::damaged("batch: pending", at, store.state().pending_end);
  if (Fault fault = Pending(store, held, known).apply_all()) return fault;
  end_batch(store, held);
  return {};
}

Fault abandon_batch(Store& store, LockHeld held) {
  State& state = store.state();
  if (Fault fault = disown_records(store, held, state.batch_begin)) return fault;
  if (Fault fault = store.regions.files().remove_blobs(held, state.batch_begin, ~Word{0})) return fault;
  shared::store(state.batch_begin, 0);
  end_batch(store, held);
  return {};
}

}  // namespace ultradict
