// SPDX-License-Identifier: Apache-2.0
#include "store/recovery.h"

#include <cstdio>

#include "store/batch.h"
#include "store/change.h"
#include "store/log.h"
#include "store/nested.h"
#include "store/table.h"

namespace ultradict {

namespace {

bool names_segment(const Control& control, Word file) {
  for (const SegmentDescriptor& segment : control.segments) {
    if (segment.file == file) return true;
  }
  return false;
}

bool names_entries(const State& state, Word table, Word extent) {
  return table == state.table_number && extent < extents_max && Regions::extent_begin(extent) < state.entries_size;
}

bool writer_may_live(const Store& store, Word number, Word generation) {
  bool dead = false;
  return store.token->is_dead(LockWord::owned(number, generation), &dead) || !dead;
}

// Whether it is what a writer that died was writing. Its name is never used again: that stays true.
bool is_left_staged(const Store& store, const char* name) {
  unsigned long long number = 0;
  unsigned long long generation = 0;
  unsigned long long count = 0;
  const bool is_staged = std::sscanf(name, "staged-%llu-%llu-%llu", &number, &generation, &count) == 3;
  return is_staged && !writer_may_live(store, number, generation);
}

// Whether control, or a writer that lives, knows the file.
bool is_known(const Store& store, const char* name) {
  const State& state = store.state();
  unsigned long long a = 0;
  unsigned long long b = 0;
  if (std::sscanf(name, "slots-%llu", &a) == 1)
    return a == SlotsName{state.slots}.file() || a == SlotsName{state.next_slots}.file();
  if (std::sscanf(name, "segment-%llu", &a) == 1) return names_segment(store.control(), a);
  if (std::sscanf(name, "entries-%llu-%llu", &a, &b) == 2) return names_entries(state, a, b);
  if (std::sscanf(name, "blob-%llu", &a) == 1) return a >= state.cleared_at && a < Ref{state.tail}.position();
  return !is_left_staged(store, name);
}

}  // namespace

int sweep_orphans(Store& store, LockHeld held) {
  const DictFiles& files = store.regions.files();
  int removed = 0;
  (void)files.list([&](const char* name) {
    if (is_known(store, name)) return;
    files.remove(held, name);
    ++removed;
  });
  return removed;
}

void sweep_staged(Store& store) {
  const DictFiles& files = store.regions.files();
  (void)files.list([&](const char* name) {
    if (!is_left_staged(store, name)) return;
    if (!files.budget().is_bounded()) return files.remove(name);
    if (!store.try_enter()) return;
    files.remove_staged(store.lock.held(), name);
    store.leave_held();
  });
}

Fault recover(Store& store, LockHeld held) {
  State& state = store.state();
  if (Fault fault = Change::redo(store.regions, held)) return fault;
  if (state.pending != 0) {
    if (Fault fault = finish_batch(store, held)) return fault;
  } else if (state.batch_begin != 0) {
    if (Fault fault = abandon_batch(store, held)) return fault;
  }
  if (Fault fault = recover_nested(store, held)) return fault;
  free_cleared_segments(store, held);
  for (Word number = 0; number < segments_max; ++number) free_if_empty(store, held, number);
  if (state.repair != 0) {
    drop_next_slots(store, held);  // it may have lost count of itself
    sweep_orphans(store, held);
    store.regions.files().budget().recount(held);
    shared::store(state.recoveries, state.recoveries + 1);
  }
  refresh_log_hints(store);
  shared::store(state.repair, 0);
  return {};
}

}  // namespace ultradict
