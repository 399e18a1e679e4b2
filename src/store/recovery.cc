// SPDX-License-Identifier: Apache-2.0
#include "store/recovery.h"

#include <cstdio>

#include "store/batch.h"
#include "store/change.h"
#include "store/log.h"

namespace ultradict {

namespace {

// A slot array that was being built may have lost count of itself; it is begun anew.
void drop_next_slots(Store& store, LockHeld held) {
  State& state = store.state();
  if (state.next_slots == 0) return;
  const Word file = SlotsName{state.next_slots}.file();
  Change change(store.regions, held);
  change.set(state.next_slots, 0);
  change.remove_file(FileKind::slots, file);
  change.commit();
}

bool names_segment(const Control& control, Word file) {
  for (const SegmentDescriptor& segment : control.segments) {
    if (segment.file == file) return true;
  }
  return false;
}

bool names_entries(const State& state, Word table, Word extent) {
  return table == state.table_number && extent < extents_max && Regions::extent_begin(extent) < state.entries_size;
}

bool is_written(const Store& store, Word number, Word generation) {
  bool dead = false;
  return store.token->is_dead(LockWord::owned(number, generation), &dead) || !dead;
}

// Whether control, or a writer that lives, knows the file.
bool is_known(const Store& store, const char* name) {
  const State& state = store.state();
  unsigned long long a = 0;
  unsigned long long b = 0;
  unsigned long long c = 0;
  if (std::sscanf(name, "slots-%llu", &a) == 1) return a == SlotsName{state.slots}.file();
  if (std::sscanf(name, "segment-%llu", &a) == 1) return names_segment(store.control(), a);
  if (std::sscanf(name, "entries-%llu-%llu", &a, &b) == 2) return names_entries(state, a, b);
  if (std::sscanf(name, "blob-%llu", &a) == 1) return a < Ref{state.tail}.position();
  if (std::sscanf(name, "staged-%llu-%llu-%llu", &a, &b, &c) == 3) return is_written(store, a, b);
  return true;
}

void sweep_orphans(Store& store, LockHeld) {
  const DictFiles& files = store.regions.files();
  files.list([&](const char* name) {
    if (!is_known(store, name)) files.remove(name);
  });
}

}  // namespace

Fault recover(Store& store, LockHeld held, bool after_death) {
  State& state = store.state();
  if (Fault fault = Change::redo(store.regions, held)) return fault;
  if (state.batch_begin != 0 && state.pending == 0) {
    store.regions.files().remove_blobs(state.batch_begin, ~Word{0});  // of a batch that never happened
  }
  if (Fault fault = finish_batch(store, held)) return fault;
  free_cleared_segments(store, held);
  if (after_death) {
    drop_next_slots(store, held);
    sweep_orphans(store, held);
    shared::store(state.recoveries, state.recoveries + 1);
  }
  refresh_log_hints(store);
  return {};
}

}  // namespace ultradict
