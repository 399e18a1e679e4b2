// SPDX-License-Identifier: Apache-2.0
#include "store/pending.h"

#include "store/insertions.h"
#include "store/log.h"
#include "store/writer.h"

namespace ultradict {

namespace {

void set_pending(Change& change, State& state, Ref next) {
  const bool is_last = next.position() == state.pending_end;
  change.set(state.pending, is_last ? 0 : next.word);
  if (is_last) change.set(state.batch_begin, 0);
}

}  // namespace

Fault Pending::apply_all() {
  while (store_.state().pending != 0) {
    if (Fault fault = apply_some()) return fault;
  }
  return {};
}

// As many new keys as go into one change, or one new value.
Fault Pending::apply_some() {
  State& state = store_.state();
  Insertions insertions(store_, held_);
  Ref at{state.pending};
  Look look;
  bool taken = true;
  while (at.position() != state.pending_end) {
    if (Fault fault = look_at(at, &look)) return fault;
    taken = look.is_applied;
    if (!taken && look.entry == 0) {
      if (Fault fault = insertions.add(look.record, look.hash, &taken)) return fault;
    }
    if (!taken) break;
    if (!look.is_applied) ++next_known_;
    at = look.next;
  }
  if (at == Ref{state.pending}) return overwrite(look);
  Change change(store_.regions, held_);
  set_pending(change, state, at);
  if (!insertions.empty()) {
    if (Fault fault = insertions.finish(change)) return fault;
  }
  return change.commit();
}

Fault Pending::overwrite(const Look& look) {
  Located old;
  if (Fault fault = locate_entry(store_, held_, look.entry, &old)) return fault;
  Change change(store_.regions, held_);
  set_pending(change, store_.state(), look.next);
  if (Fault fault = apply_overwrite(store_, held_, change, old, look.record)) return fault;
  if (Fault fault = change.commit()) return fault;
  ++next_known_;
  return {};
}

Fault Pending::look_at(Ref ref, Look* look) const {
  if (Fault fault = record_in_place(store_, held_, ref, &look->record)) return fault;
  if (Fault fault = find_next(ref, look->record.size(), &look->next)) return fault;
  look->is_applied = look->record.header.sequence != ref.position();
  return look->is_applied ? Fault::none() : find_key(look);
}

Fault Pending::find_key(Look* look) const {
  if (next_known_ < known_.size()) {
    look->hash = known_[next_known_].hash;
    look->entry = known_[next_known_].entry;
    prefetch();
    return {};
  }
  const Word dict = look->record.header.dict_id;
  look->hash = store_.hash(dict, look->record.key());
  Located old;
  const Fault fault = locate(store_, held_, dict, look->record.key(), look->hash, &old);
  look->entry = old.number;
  return fault;
}

// The slots of keys to come: nothing else takes as long as their cache lines.
void Pending::prefetch() const {
  constexpr std::size_t ahead = 8;
  if (next_known_ + ahead >= known_.size()) return;
  const Word hash = known_[next_known_ + ahead].hash;
  store_.regions.prefetch_slots(hash);
  prefetch_next_slots(store_, held_, hash);
}

// Where the run goes on: in the same segment, or at the begin of the one that follows in the stream.
Fault Pending::find_next(Ref ref, Word size, Ref* next) const {
  const Control& control = store_.control();
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

}  // namespace ultradict
