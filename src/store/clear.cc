// SPDX-License-Identifier: Apache-2.0
#include "store/clear.h"

#include <bit>

#include "store/change.h"
#include "store/log.h"

namespace ultradict {

namespace {

Fault prepare_slots(Store& store, SlotsName* name) {
  const Word file = SlotsName{store.state().slots}.file() == control_slots_a ? control_slots_b : control_slots_a;
  *name = SlotsName::of(file, static_cast<Word>(std::countr_zero(control_slots)));
  Word* words = nullptr;
  if (Fault fault = store.regions.slots(*name, &words)) return fault;
  // Who still probes this array, which is not the current one any more, must not take it for that when it is empty.
  shared::release_fence();
  for (Word number = 0; number < control_slots; ++number) shared::store_relaxed(words[number], 0);
  return {};
}

void empty_table(Change& change, State& state, SlotsName slots) {
  change.set(state.slots, slots.word);
  change.set(state.slots_used, 0);
  change.set(state.next_slots, 0);
  change.set(state.entries_used, 1);
  change.set(state.free_entry, 0);
  change.set(state.entries_size, control_entries);
  change.set(state.ends, 0);
  change.set(state.count, 0);
  change.set(state.exotic_count, 0);
  change.set(state.nested_count, 0);
  change.set(state.dict_count, 0);
  change.set(state.loose, 0);
  change.set(state.doomed, 0);
  change.set(state.emptying, 0);
}

void empty_log(Change& change, Control& control, Word stream) {
  State& state = control.state;
  const Ref tail{state.tail};
  change.set(control.segments[tail.segment()].live, 0);
  change.set(state.live_size, 0);
  change.set(state.content_size, 0);
  change.set(state.blob_count, 0);
  change.set(state.blob_size, 0);
  change.set(state.cleared_at, tail.position());
  change.set(state.largest_record, 0);
  change.set(state.victim, 0);
  change.set(state.stream, stream);
}

void remove_replaced_files(Change& change, const State& state) {
  if (SlotsName{state.slots}.file() >= first_file) change.remove_file(FileKind::slots, SlotsName{state.slots}.file());
  if (state.next_slots != 0) change.remove_file(FileKind::slots, SlotsName{state.next_slots}.file());
  if (state.entries_size > control_entries) change.remove_file(FileKind::entries, state.table_number);
  if (state.blob_count != 0) change.sweep_blobs(Ref{state.tail}.position());
}

Fault begin_anew(Store& store, LockHeld held, Word stream) {
  Control& control = store.control();
  State& state = control.state;
  SlotsName slots;
  if (Fault fault = prepare_slots(store, &slots)) return fault;
  Change change(store.regions, held);
  change.set(state.table_number, state.table_number + 1);
  empty_table(change, state, slots);
  empty_log(change, control, stream);
  change.set(state.table_number, state.table_number + 2);
  remove_replaced_files(change, state);
  if (Fault fault = change.commit()) return fault;
  free_cleared_segments(store, held);
  refresh_log_hints(store);
  begin_log_anew(store, held);
  return {};
}

}  // namespace

Fault clear(Store& store, LockHeld held) { return begin_anew(store, held, ((store.state().stream >> 32) + 1) << 32); }

Fault give_back_memory(Store& store, LockHeld held) { return begin_anew(store, held, store.state().stream); }

}  // namespace ultradict
