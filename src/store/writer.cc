// SPDX-License-Identifier: Apache-2.0
#include "store/writer.h"

#include <algorithm>

#include "store/cleaning.h"
#include "store/clear.h"
#include "store/dict_header.h"
#include "store/nested.h"
#include "store/sighting.h"
#include "store/successor.h"
#include "store/sums.h"
#include "store/table.h"
#include "structures/record.h"

namespace ultradict {

namespace {

// full_dump_size bounds the content; `added` and `removed` are bytes of it.
inline Fault check_content(const Control& control, Word added, Word removed) {
  const Word bound = control.identity.full_dump_size;
  if (bound == 0) [[likely]]
    return {};
  const Word content = control.state.content_size - removed + added;
  return content <= bound ? Fault::none() : Fault{Code::content_full, 0, "full_dump_size", content, bound};
}

inline Ref after(Ref ref, Word size) { return Ref::at(ref.position() + size / unit_size, ref.segment()); }

// What is now the value of an entry, and of which insertion.
inline void note(Store& store, const Entry& entry, Word number, Ref ref, Word born, Word blob_checksum,
                 Sighting* seen) {
  if (!seen) return;
  const State& state = store.state();
  *seen = sighting_of(state, state.table_number, entry, number, ref.word, born, ref.position(), blob_checksum);
}

Word blob_checksum_of(const RecordView& view) { return view.is_blob() ? view.blob().checksum : 0; }

// Room may have been made by moving the very record that is to be overwritten: where it is now. Room was made for its
// sizes as they were.
[[gnu::cold]] Fault look_where_it_is(Store& store, LockHeld held, Ref now, RecordView* view) {
  const RecordHeader before = view->header;
  if (Fault fault = record_in_place(store, held, now, view)) return fault;
  const bool same = view->header.entry == before.entry && view->header.dict_id == before.dict_id &&
                    view->header.key_size == before.key_size && view->header.face_size == before.face_size &&
                    view->header.value_size == before.value_size;
  return same ? Fault::none() : Fault::damaged("record: sizes", view->header.key_size, before.key_size);
}

[[gnu::always_inline]] inline Fault look_again(Store& store, LockHeld held, Ref now, RecordView* view) {
  if (now.word == view->header.ref) [[likely]]
    return {};
  return look_where_it_is(store, held, now, view);
}

// The most frequent write: a small value for a small value. Entry, key and face stay, no file comes or goes.
Fault overwrite_small(Store& store, LockHeld held, Located& old, const Bytes* asked, Bytes value, Sighting* written) {
  Control& control = store.control();
  State& state = control.state;
  const Word kept = Word{old.view.header.key_size} + old.view.header.face_size;
  const Word value_size = old.view.header.value_size;
  if (Fault fault = check_content(control, value.size(), value_size)) return fault;
  const Word size = record_size(kept, 0, value.size());
  const Word killed = record_size(kept, 0, value_size);
  Room room;
  if (Fault fault = make_room(store, held, size, &room)) return fault;
  const Ref ref{old.entry->ref};
  if (Fault fault = look_again(store, held, ref, &old.view)) return fault;
  if (Fault fault = write_successor(store, room, old, asked, value)) return fault;
  Change change(store.regions, held);
  change.set(state.tail, after(room.ref, size).word);
  Word& to = control.segments[room.ref.segment()].live;
  Word& from = control.segments[ref.segment()].live;
  if (&to != &from) {
    change.set(to, to + size);
    change.set(from, from - killed);
  } else if (size != killed) {
    change.set(to, to + size - killed);
  }
  if (size != killed) change.set(state.live_size, state.live_size + size - killed);
  if (value.size() != value_size) change.set(state.content_size, state.content_size + value.size() - value_size);
  stream(change, control, size);
  change.set(old.number, *old.entry, Change::Field::ref, room.ref.word);
  if (Fault fault = change.commit()) return fault;
  note(store, *old.entry, old.number, room.ref, old.entry->born, 0, written);
  free_if_empty(store, held, ref.segment());
  return after_commit(pay_cleaning(store, held, size + killed));
}

Fault overwrite(Store& store, LockHeld held, Located& old, const Bytes* asked, NewValue& value, Sighting* written) {
  const bool both_small = value.kind() == RecordKind::value && old.view.kind() == RecordKind::value;
  if (both_small) return overwrite_small(store, held, old, asked, value.bytes(), written);
  const Word kept = Word{old.view.header.key_size} + old.view.header.face_size;
  if (Fault fault = check_content(store.control(), kept + value.size(), old.view.content_size())) return fault;
  const Word size = record_size(kept, 0, value.bytes().size());
  Room room;
  if (Fault fault = make_room(store, held, size, &room)) return fault;
  const Ref ref{old.entry->ref};
  if (Fault fault = look_again(store, held, ref, &old.view)) return fault;
  KeptKey key;
  if (Fault fault = key.take(store, old, asked)) return fault;
  RecordView now;
  write_new_record(room, old.view.header.dict_id, old.number, key.key(), value, &now);
  const Word killed = old.view.size();
  Change change(store.regions, held);
  change.set(store.state().tail, after(room.ref, size).word);
  if (Fault fault = apply_overwrite(store, held, change, old, now)) return fault;
  if (Fault fault = value.publish(held, now.header.sequence)) return fault;  // last: a published blob has its record
  if (Fault fault = change.commit()) return fault;
  note(store, *old.entry, old.number, room.ref, old.entry->born, blob_checksum_of(now), written);
  free_if_empty(store, held, ref.segment());
  if (old.view.is_child()) [[unlikely]] {
    if (Fault fault = settle_nested(store, held)) return after_commit(fault);
  }
  return after_commit(pay_cleaning(store, held, size + killed));
}

// The stores of an insertion but for the tail, and for those that show the key: add_slot.
Fault add_key(Store& store, LockHeld held, Change& change, const RecordView& now, Word hash, const FreeEntry& free) {
  Control& control = store.control();
  State& state = control.state;
  DictHeader header;
  if (Fault fault = DictHeader::find(store, held, now.header.dict_id, &header)) return fault;
  const Links ends = header.ends();
  begin_life(change, free, now.header.sequence, hash, Links::of(ends.next(), 0));
  if (ends.next() != 0) {
    Entry* last = nullptr;
    if (Fault fault = store.regions.entry(state.table_number, ends.next(), &last)) return fault;
    const Word before = Links{last->links}.previous();
    change.set(ends.next(), *last, Change::Field::links, Links::of(before, free.number).word);
  }
  header.set_ends(change, Links::of(ends.previous() == 0 ? free.number : ends.previous(), free.number));
  take_entry(change, state, free);
  header.count_keys(change, 1, now.is_exotic() ? 1 : 0);
  count(change, control, &now, nullptr);
  stream(change, control, now.size() + now.blob_size());
  return now.is_child() ? change_links(store, held, change, &now, nullptr) : Fault::none();
}

Fault add_slot(Store& store, LockHeld held, Change& change, const RecordView& now, Word hash, const FreeEntry& free) {
  if (Fault fault = insert_slots(store, held, change, hash, free.number)) return fault;
  change.set(free.number, *free.entry, Change::Field::ref, now.header.ref);
  return {};
}

// A new key, in two steps: all that can be done before it is known whether it is new, then the rest. One that is only
// prepared has changed nothing.
class Insertion {
 public:
  Insertion(Store& store, LockHeld held) : store_(store), held_(held), change_(store.regions, held) {}

  Fault prepare(Word dict, const Key& key, Word hash, const NewValue& value) {
    const Word content = key.canonical.size() + key.face.size() + value.size();
    if (Fault fault = check_content(store_.control(), content, 0)) return fault;
    if (Fault fault = make_table_room(store_, held_, 1)) return fault;
    if (Fault fault = free_entry(store_, held_, &free_)) return fault;
    const Word size = record_size(key.canonical.size(), key.face.size(), value.bytes().size());
    Room room;
    if (Fault fault = make_room(store_, held_, size, &room)) return fault;
    write_new_record(room, dict, free_.number, key, value, &now_);
    change_.set(store_.state().tail, after(room.ref, size).word);
    return add_key(store_, held_, change_, now_, hash, free_);
  }

  Fault finish(Word hash, NewValue& value, Sighting* written) {
    const Ref ref{now_.header.ref};
    if (Fault fault = add_slot(store_, held_, change_, now_, hash, free_)) return fault;
    if (Fault fault = value.publish(held_, ref.position())) return fault;  // last: a published blob has its record
    if (Fault fault = change_.commit()) return fault;
    note(store_, *free_.entry, free_.number, ref, ref.position(), blob_checksum_of(now_), written);
    return after_commit(pay_cleaning(store_, held_, now_.size()));
  }

 private:
  Store& store_;
  LockHeld held_;
  Change change_;
  FreeEntry free_;
  RecordView now_;
};

// Takes the entry out of the chain: its neighbours, or the ends, take each other for neighbours.
Fault unchain(Store& store, Change& change, const DictHeader& header, const Entry& entry) {
  const Links links{entry.links};
  const Links before = header.ends();
  Links ends = before;
  const Word table = store.state().table_number;
  Entry* neighbour = nullptr;
  if (links.previous() != 0) {
    if (Fault fault = store.regions.entry(table, links.previous(), &neighbour)) return fault;
    const Word farther = Links{neighbour->links}.previous();
    change.set(links.previous(), *neighbour, Change::Field::links, Links::of(farther, links.next()).word);
  } else {
    ends = Links::of(links.next(), ends.next());
  }
  if (links.next() != 0) {
    if (Fault fault = store.regions.entry(table, links.next(), &neighbour)) return fault;
    const Word farther = Links{neighbour->links}.next();
    change.set(links.next(), *neighbour, Change::Field::links, Links::of(links.previous(), farther).word);
  } else {
    ends = Links::of(ends.previous(), links.previous());
  }
  if (ends.word != before.word) header.set_ends(change, ends);
  return {};
}

// Before a record goes for good, with what it names: its checksum, where there is more than a key, which was compared,
// or its hash, unless its whole dict goes.
Fault check_before_removal(Store& store, const RecordView& view) {
  return is_mere_value(view) ? check_length(store, view) : check_in_place(view, view.key(), view.face());
}

Fault remove(Store& store, LockHeld held, const Located& old) {
  if (Fault fault = remove_entry(store, held, old, Streamed::yes)) return fault;
  if (old.view.is_child()) {
    if (Fault fault = settle_nested(store, held)) return after_commit(fault);
  }
  return is_empty_and_large(store.control()) ? after_commit(give_back_memory(store, held)) : Fault::none();
}

}  // namespace

Fault remove_entry(Store& store, LockHeld held, const Located& old, Streamed streamed) {
  Control& control = store.control();
  State& state = control.state;
  const Ref ref{old.entry->ref};
  const Word killed = old.view.size();
  if (Fault fault = check_before_removal(store, old.view)) return fault;
  DictHeader header;
  if (Fault fault = DictHeader::find(store, held, old.view.header.dict_id, &header)) return fault;
  Change change(store.regions, held);
  change.set(old.number, *old.entry, Change::Field::ref, 0);
  if (Fault fault = remove_slots(store, held, change, old.entry->hash, old.number)) return fault;
  if (Fault fault = unchain(store, change, header, *old.entry)) return fault;
  const Word size = record_size(old.view.header.key_size, 0, 0);
  const Word now = streamed == Streamed::yes ? stream(change, control, size) : state.stream;
  give_entry(change, state, old.number, *old.entry, now);
  header.count_keys(change, ~Word{0}, old.view.is_exotic() ? ~Word{0} : 0);
  count(change, control, nullptr, &old.view);
  if (Fault fault = change_links(store, held, change, nullptr, &old.view)) return fault;
  if (old.view.is_blob()) change.remove_blob(old.view.header.sequence);
  if (Fault fault = change.commit()) return fault;
  free_if_empty(store, held, ref.segment());
  return after_commit(pay_cleaning(store, held, killed));
}

void write_new_record(const Room& room, Word dict, Word entry, const Key& key, const NewValue& value, RecordView* now) {
  const Bytes bytes = value.bytes();
  const Word kind = Word(value.kind()) | (key.exotic ? record_exotic : 0);
  now->header =
      HeaderWords::of(room.ref, entry, dict, key.canonical.size(), key.face.size(), bytes.size(), kind).header();
  now->bytes = room.at;
  write_record(room.at, now->header, key.canonical, key.face, bytes);
}

Fault apply_overwrite(Store& store, LockHeld held, Change& change, const Located& old, const RecordView& now) {
  Control& control = store.control();
  count(change, control, &now, &old.view);
  stream(change, control, now.size() + now.blob_size());
  if (now.is_child() || old.view.is_child()) [[unlikely]] {
    if (Fault fault = change_links(store, held, change, &now, &old.view)) return fault;
  }
  change.set(old.number, *old.entry, Change::Field::ref, now.header.ref);
  if (old.view.is_blob()) change.remove_blob(old.view.header.sequence);
  return {};
}

namespace {

// Of a key that was just asked for.
Fault put_located(Store& store, LockHeld held, ChildId dict, const Key& key, Word hash, Located& located,
                  NewValue& value, Sighting* written) {
  store.last_put_inserted = located.number == 0;
  if (located.number != 0) return overwrite(store, held, located, &key.canonical, value, written);
  Insertion insertion(store, held);
  if (Fault fault = insertion.prepare(dict.number, key, hash, value)) return fault;
  return insertion.finish(hash, value, written);
}

}  // namespace

Fault put(Store& store, LockHeld held, ChildId dict, const Key& key, Word hash, NewValue& value, Sighting* written,
          Expect expect) {
  if (dict.number != 0) {
    if (Fault fault = check_alive(store, dict)) return fault;
  }
  if (value.child().number != 0) {
    if (Fault fault = check_link(store, held, dict, value.child())) return fault;
  }
  prefetch_next_slots(store, held, hash);
  const bool prepares = expect == Expect::new_key || (store.last_put_inserted && has_table_room(store.state()));
  Insertion insertion(store, held);
  Fault unready;
  if (prepares) unready = insertion.prepare(dict.number, key, hash, value);
  Located located;
  if (Fault fault = locate(store, held, dict.number, key.canonical, hash, &located)) return fault;
  if (!prepares || located.number != 0) return put_located(store, held, dict, key, hash, located, value, written);
  store.last_put_inserted = true;
  return unready ? unready : insertion.finish(hash, value, written);
}

Fault put_small(Store& store, LockHeld held, ChildId dict, const Key& key, Word hash, Bytes value, Sighting* written) {
  if (store.last_put_inserted) {
    NewValue small(store, value);
    return put(store, held, dict, key, hash, small, written);
  }
  if (dict.number != 0) {
    if (Fault fault = check_alive(store, dict)) return fault;
  }
  prefetch_next_slots(store, held, hash);
  Located located;
  if (Fault fault = locate(store, held, dict.number, key.canonical, hash, &located)) return fault;
  if (located.number != 0 && located.view.kind() == RecordKind::value) [[likely]]
    return overwrite_small(store, held, located, &key.canonical, value, written);
  NewValue small(store, value);
  return put_located(store, held, dict, key, hash, located, small, written);
}

Fault put_at(Store& store, LockHeld held, Sighting* seen, NewValue& value) {
  Located located;
  if (Fault fault = locate_seen(store, held, *seen, &located)) return fault;
  return overwrite(store, held, located, nullptr, value, seen);
}

Fault put_small_at(Store& store, LockHeld held, Sighting* seen, Bytes value) {
  Located located;
  if (Fault fault = locate_seen(store, held, *seen, &located)) return fault;
  if (located.view.kind() == RecordKind::value) [[likely]]
    return overwrite_small(store, held, located, nullptr, value, seen);
  NewValue small(store, value);
  return overwrite(store, held, located, nullptr, small, seen);
}

Fault erase(Store& store, LockHeld held, ChildId dict, Bytes key) {
  if (Fault fault = check_alive(store, dict)) return fault;
  Located located;
  if (Fault fault = locate(store, held, dict.number, key, store.hash(dict.number, key), &located)) return fault;
  if (located.number == 0) return Fault::of(Code::not_found);
  return remove(store, held, located);
}

Fault erase_at(Store& store, LockHeld held, const Sighting& seen) {
  Located located;
  if (Fault fault = locate_seen(store, held, seen, &located)) return fault;
  if (Fault fault = check_hash(store, located, located.view.key())) return fault;
  return remove(store, held, located);
}

}  // namespace ultradict
