// SPDX-License-Identifier: Apache-2.0
#include "store/batch.h"

#include "store/cleaning.h"
#include "store/nested.h"
#include "store/table.h"
#include "structures/record.h"

namespace ultradict {

namespace {

// Entry numbers in the order in which insertions will take them.
class EntryNumbers {
 public:
  EntryNumbers(Store& store) : store_(store), free_(store.state().free_entry), unused_(store.state().entries_used) {}

  Fault next(Word* number) {
    *number = free_ != 0 ? free_ : unused_;
    if (free_ == 0) {
      ++unused_;
      return {};
    }
    Entry* entry = nullptr;
    if (Fault fault = store_.regions.entry(store_.state().table_number, free_, &entry)) return fault;
    free_ = Links{entry->links}.next();
    return {};
  }

 private:
  Store& store_;
  Word free_;
  Word unused_;
};

// What must be there before anything is written: the dicts, entries and slots for the new keys, content within its
// bound.
Fault prepare(Store& store, LockHeld held, ChildId dict, std::span<const Key> keys, std::span<NewValue* const> values) {
  if (Fault fault = check_alive(store, dict)) return fault;
  Word new_keys = 0;
  Word added = 0;
  Word removed = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Bytes key = keys[i].canonical;
    Located located;
    if (Fault fault = locate(store, held, dict.number, key, store.hash(dict.number, key), &located)) return fault;
    if (const ChildId child = values[i]->child(); child.number != 0) {
      if (Fault fault = check_link(store, held, dict, child)) return fault;
    }
    new_keys += located.number == 0 ? 1 : 0;
    added += keys[i].canonical.size() + keys[i].face.size() + values[i]->size();
    removed += located.number == 0 ? 0 : located.view.content_size();
  }
  const Word bound = store.control().identity.full_dump_size;
  const Word content = store.state().content_size + added - removed;
  if (bound != 0 && content > bound) return Fault{Code::content_full, 0, "full_dump_size", content, bound};
  return make_table_room(store, held, new_keys);
}

Fault append(Store& store, LockHeld held, Word dict, const Key& key, NewValue& value, EntryNumbers& numbers) {
  Located located;
  if (Fault fault = locate(store, held, dict, key.canonical, store.hash(dict, key.canonical), &located)) return fault;
  const bool is_new = located.number == 0;
  if (is_new) {
    if (Fault fault = numbers.next(&located.number)) return fault;
  }
  const Word face_size = is_new ? key.face.size() : located.view.header.face_size;
  const Word size = record_size(key.canonical.size(), face_size, value.bytes().size());
  Room room;
  if (Fault fault = make_room(store, held, size, &room)) return fault;
  Key kept = key;
  if (!is_new) {
    if (Fault fault = record_in_place(store, held, Ref{located.entry->ref}, &located.view)) return fault;
    kept = Key{located.view.key(), located.view.face(), located.view.is_exotic()};
  }
  RecordView now;
  write_new_record(room, dict, located.number, kept, value, &now);
  if (Fault fault = value.publish(held, now.header.sequence)) return fault;
  shared::store(store.state().tail, Ref::at(room.ref.position() + size / unit_size, room.ref.segment()).word);
  return {};
}

// Where the run goes on: in the same segment, or at the begin of the one that follows in the stream.
Fault after(Store& store, Ref ref, Word size, Ref* next) {
  const Control& control = store.control();
  const Word position = ref.position() + size / unit_size;
  *next = Ref::at(position, ref.segment());
  const SegmentDescriptor& segment = control.segments[ref.segment()];
  const bool ends = is_closed(control, ref.segment()) && position == segment.first + segment.filled / unit_size;
  if (!ends || position == control.state.pending_end) return {};
  for (Word number = 0; number < segments_max; ++number) {
    const bool in_use = is_closed(control, number) || Ref{control.state.tail}.segment() == number;
    if (!in_use || control.segments[number].first != position) continue;
    *next = Ref::at(position, number);
    return {};
  }
  return Fault::damaged("batch: no segment goes on at position", position);
}

Fault apply_one(Store& store, LockHeld held, Ref ref) {
  State& state = store.state();
  RecordView now;
  if (Fault fault = record_in_place(store, held, ref, &now)) return fault;
  Ref next;
  if (Fault fault = after(store, ref, now.size(), &next)) return fault;
  Change change(store.regions, held);
  const bool is_last = next.position() == state.pending_end;
  change.set(state.pending, is_last ? 0 : next.word);
  if (is_last) change.set(state.batch_begin, 0);
  if (now.header.sequence == ref.position()) {  // not one that cleaning moved here meanwhile
    const Word dict = now.header.dict_id;
    const Word hash = store.hash(dict, now.key());
    Located old;
    if (Fault fault = locate(store, held, dict, now.key(), hash, &old)) return fault;
    const Fault fault = old.number == 0 ? apply_insertion(store, held, change, now, hash)
                                        : apply_overwrite(store, held, change, old, now);
    if (fault) return fault;
  }
  change.commit();
  return {};
}

void commit(Store& store, LockHeld held, Ref first) {
  State& state = store.state();
  Change change(store.regions, held);
  change.set(state.pending_end, Ref{state.tail}.position());
  change.set(state.pending, first.word);
  change.commit();
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

// What its records protected is free to go.
void end_batch(Store& store, LockHeld held) {
  for (Word number = 0; number < segments_max; ++number) free_if_empty(store, held, number);
  refresh_log_hints(store);
}

}  // namespace

Fault put_batch(Store& store, LockHeld held, ChildId dict, std::span<const Key> keys,
                std::span<NewValue* const> values) {
  if (keys.empty()) return {};
  State& state = store.state();
  if (Fault fault = prepare(store, held, dict, keys, values)) return fault;
  const Word begin = Ref{state.tail}.position();
  shared::store(state.batch_begin, begin);
  EntryNumbers numbers(store);
  Fault fault;
  for (std::size_t i = 0; i < keys.size() && !fault; ++i)
    fault = append(store, held, dict.number, keys[i], *values[i], numbers);
  Ref first;
  if (!fault) fault = find_first(store, begin, &first);
  if (fault) {
    abandon_batch(store, held);
    return fault;
  }
  commit(store, held, first);
  const Word appended = (Ref{state.tail}.position() - begin) * unit_size;
  if (Fault finishing = finish_batch(store, held)) return finishing;
  if (Fault settling = settle_nested(store, held)) return settling;
  return pay_cleaning(store, held, appended);
}

Fault finish_batch(Store& store, LockHeld held) {
  State& state = store.state();
  while (state.pending != 0) {
    if (Fault fault = apply_one(store, held, Ref{state.pending})) return fault;
  }
  end_batch(store, held);
  return {};
}

void abandon_batch(Store& store, LockHeld held) {
  State& state = store.state();
  store.regions.files().remove_blobs(state.batch_begin, ~Word{0});
  shared::store(state.batch_begin, 0);
  end_batch(store, held);
}

}  // namespace ultradict
