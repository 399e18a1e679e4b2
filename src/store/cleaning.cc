// SPDX-License-Identifier: Apache-2.0
#include "store/cleaning.h"

#include <algorithm>

#include "store/recovery.h"
#include "structures/record.h"

namespace ultradict {

namespace {

constexpr Word bytes_moved_per_byte = 4;
constexpr Word bytes_passed_per_byte = 8;
constexpr int records_per_change = 8;
constexpr int records_looked_at_max = 64;  // in one step

// The record at an offset of a closed segment.
Fault record_at(Store& store, Word number, Word offset, RecordView* view) {
  const SegmentDescriptor& segment = store.control().segments[number];
  const Word filled = shared::load_relaxed(segment.filled);
  char* base = nullptr;
  if (offset % unit_size != 0 || offset > filled || filled - offset < sizeof(RecordHeader))
    return Fault::damaged("segment: filled", filled, offset);
  if (Fault fault = store.regions.segment(number, segment.file, filled, &base)) return fault;
  shared::copy_out(&view->header, base + offset, sizeof view->header);
  view->bytes = base + offset;
  return check_header(view->header, Ref::at(segment.first + offset / unit_size, number), filled - offset);
}

// A record is live if its key's entry names it.
Fault find_namer(Store& store, const RecordView& view, Entry** namer) {
  *namer = nullptr;
  const State& state = store.state();
  Entry* entry = nullptr;
  if (view.header.entry == 0 || view.header.entry >= state.entries_used) return {};
  if (Fault fault = store.regions.entry(state.table_number, view.header.entry, &entry)) return fault;
  if (entry->ref == view.header.ref) *namer = entry;
  return {};
}

// Some records of the victim, and the one change that moves them.
class Move {
 public:
  Move(Store& store, LockHeld held, Word victim)
      : store_(store), held_(held), victim_(victim), change_(store.regions, held) {}

  bool is_full() const { return count_ == records_per_change; }
  Word size() const { return size_; }

  Fault add(const RecordView& view, Entry& namer) {
    if (count_ == 0) {
      if (Fault fault = make_room_for_move(store_, held_, view.size(), &room_)) return fault;
    }
    shared::copy_in(room_.at + size_, view.bytes, view.size());
    const Ref ref = Ref::at(room_.ref.position() + size_ / unit_size, room_.ref.segment());
    shared::store_relaxed(*reinterpret_cast<Word*>(room_.at + size_), ref.word);
    numbers_[count_] = view.header.entry;
    namers_[count_] = &namer;
    refs_[count_++] = ref;
    size_ += view.size();
    return {};
  }

  // Whether one more record of that size fits behind the ones before.
  bool has_room_for(Word size) const {
    if (count_ == 0) return true;
    const SegmentDescriptor& segment = store_.control().segments[room_.ref.segment()];
    const Word end = room_.offset + size_ + size;
    char* base = nullptr;
    return may_move_to_tail(store_.control(), size_ + size) &&
           !store_.regions.segment(room_.ref.segment(), segment.file, end, &base);
  }

  Fault commit(Word offset) {
    Control& control = store_.control();
    State& state = control.state;
    if (count_ == 0) {
      shared::store(state.victim_offset, offset);
      return {};
    }
    SegmentDescriptor& from = control.segments[victim_];
    SegmentDescriptor& to = control.segments[room_.ref.segment()];
    if (from.live < size_) return Fault::damaged("segment: live bytes", from.live, size_);
    change_.set(from.live, from.live - size_);
    change_.set(to.live, to.live + size_);
    change_.set(state.tail, Ref::at(room_.ref.position() + size_ / unit_size, room_.ref.segment()).word);
    change_.set(state.victim_offset, offset);
    change_.set(state.moved_records, state.moved_records + static_cast<Word>(count_));
    for (int i = 0; i < count_; ++i) change_.set(numbers_[i], *namers_[i], Change::Field::ref, refs_[i].word);
    return change_.commit();
  }

 private:
  Store& store_;
  LockHeld held_;
  Word victim_;
  Change change_;
  Room room_;
  Word size_ = 0;
  int count_ = 0;
  Word numbers_[records_per_change];
  Entry* namers_[records_per_change];
  Ref refs_[records_per_change];
};

// The closed segment with the fewest live bytes that has dead ones; segments_max if there is none. Such as can be
// emptied with the room there is come first.
Word emptiest_segment(const Control& control) {
  Word best = segments_max;
  bool may_be_emptied = false;
  for (Word number = 0; number < segments_max; ++number) {
    const SegmentDescriptor& segment = control.segments[number];
    if (!is_closed(control, number) || segment.live >= segment.filled) continue;
    const bool may = may_empty(control, number);
    const bool is_better = best == segments_max || may != may_be_emptied || segment.live < control.segments[best].live;
    if (!is_better || (may_be_emptied && !may)) continue;
    best = number;
    may_be_emptied = may;
  }
  return best;
}

// The closed segment that is worth most of those that can be emptied with the room there is; segments_max if there is
// none.
Word segment_to_gain_most(const Control& control) {
  Word best = segments_max;
  Word most = 0;
  for (Word number = 0; number < segments_max; ++number) {
    if (!is_closed(control, number) || is_protected(control, number)) continue;
    const Word gain = gain_of_emptying(control, number);
    if (gain <= most || !may_empty(control, number)) continue;
    most = gain;
    best = number;
  }
  return best;
}

Fault choose_victim(Store& store, LockHeld held, Word number) {
  State& state = store.state();
  Change change(store.regions, held);
  change.set(state.victim_offset, 0);
  change.set(state.victim, number + 1);
  return change.commit();
}

// Moves up to `budget` bytes, at least one record, out of the victim; frees it at its end. `spent` is what that cost:
// dead records are passed over, which is cheaper than to move them, but not for nothing.
Fault move_some(Store& store, LockHeld held, Word budget, Word* spent) {
  const Word victim = victim_of(store.control());
  if (victim == segments_max) return Fault::damaged("victim", store.state().victim, segments_max);
  const SegmentDescriptor& segment = store.control().segments[victim];
  Move move(store, held, victim);
  Word offset = store.state().victim_offset;
  for (int looked = 0; offset < segment.filled && looked < records_looked_at_max; ++looked) {
    RecordView view;
    Entry* namer = nullptr;
    if (Fault fault = record_at(store, victim, offset, &view)) return fault;
    if (Fault fault = find_namer(store, view, &namer)) return fault;
    if (namer) {
      if (move.is_full() || move.size() >= budget || !move.has_room_for(view.size())) break;
      if (Fault fault = move.add(view, *namer)) return fault;
    }
    offset += view.size();
  }
  *spent = move.size() + (offset - store.state().victim_offset) / bytes_passed_per_byte;
  if (Fault fault = move.commit(offset)) return fault;
  if (offset < segment.filled) return {};
  if (segment.live != 0) return Fault::damaged("segment: live bytes", segment.live, 0);
  return free_segment(store, held, victim);
}

Fault empty_segment(Store& store, LockHeld held, Word number) {
  if (Fault fault = choose_victim(store, held, number)) return fault;
  while (store.state().victim == number + 1) {
    Word spent = 0;
    if (Fault fault = move_some(store, held, ~Word{0}, &spent)) return fault;
  }
  return {};
}

// Until the budget is spent or the victim is empty.
Fault move_out(Store& store, LockHeld held, Word budget) {
  for (Word spent = 0; store.state().victim != 0 && spent < budget;) {
    Word more = 0;
    if (Fault fault = move_some(store, held, budget - spent, &more)) return fault;
    spent += more;
  }
  return {};
}

}  // namespace

Fault clean_some(Store& store, LockHeld held, Word size) {
  const Control& control = store.control();
  if (control.state.victim == 0) {
    const Word number = emptiest_segment(control);
    if (number == segments_max) return {};
    if (Fault fault = choose_victim(store, held, number)) return fault;
  }
  const Fault fault = move_out(store, held, bytes_moved_per_byte * size);
  return fault.code == Code::memory_full ? Fault::none() : fault;  // a later write may have more room
}

Fault reclaim(Store& store, LockHeld held) {
  const Control& control = store.control();
  const Word number = segment_to_gain_most(control);
  if (number != segments_max) return empty_segment(store, held, number);
  if (tail_live(control) < tail_offset(control) && may_close_tail(control)) return close_tail(store, held);
  return Fault::of(Code::memory_full, "shared memory is full");
}

Fault clean_all(Store& store, LockHeld held) {
  const Control& control = store.control();
  sweep_orphans(store, held);
  // What is written from here on is clean. The tail comes first: the others may need what it leaves free.
  const Ref end{control.state.tail};
  if (Fault fault = close_tail(store, held); fault && fault.code != Code::memory_full) return fault;
  for (Word i = 0; i < segments_max; ++i) {
    const Word number = (end.segment() + i) % segments_max;
    const SegmentDescriptor& segment = control.segments[number];
    if (!is_closed(control, number) || segment.live >= segment.filled || segment.first >= end.position()) continue;
    const Fault fault = empty_segment(store, held, number);
    if (fault && fault.code != Code::memory_full) return fault;  // another one may need less
  }
  while (give_back_free_segment(store, held)) {
  }
  return {};
}

Fault dump_all(Store& store, LockHeld held) {
  if (Fault fault = clean_all(store, held)) return fault;
  Word& stream = store.state().stream;
  shared::store(stream, ((stream >> 32) + 1) << 32);
  return {};
}

}  // namespace ultradict
