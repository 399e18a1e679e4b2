// SPDX-License-Identifier: Apache-2.0
#include "store/log.h"

#include <algorithm>

#include "store/cleaning.h"

namespace ultradict {

namespace {

constexpr Word free_files_kept = 2;
constexpr Word first_size = 64 * 1024;  // of a segment's file; then it doubles, by at most allocation_step
constexpr int rounds_max = 1024;        // of make_room: each allocates, switches or empties a segment

bool is_free(const Control& control, Word number) {
  const SegmentDescriptor& segment = control.segments[number];
  return segment.file != 0 && segment.filled == 0 && Ref{control.state.tail}.segment() != number;
}

// How large a segment should be for what was written: the log is made of a few dozen. (A batch under way is written,
// not live.)
Word wanted_capacity(const State& state, Word needed) {
  return round_up(std::max({segment_size_min, state.closed_size / 16, needed}), page_size);
}

// The largest free segment that holds `needed` bytes; segments_max if there is none.
Word largest_free(const Control& control, Word needed) {
  Word best = segments_max;
  for (Word number = 0; number < segments_max; ++number) {
    if (!is_free(control, number) || control.segments[number].size < needed) continue;
    if (best == segments_max || control.segments[number].size > control.segments[best].size) best = number;
  }
  return best;
}

Fault create_free_segment(Store& store, LockHeld held, Word needed) {
  Control& control = store.control();
  Word number = control_segments;
  while (number < segments_max && control.segments[number].file != 0) ++number;
  if (number == segments_max) return Fault::of(Code::memory_full, "all segments of the log are in use");
  const Word file = control.state.next_file;
  shared::store(control.state.next_file, file + 1);
  Fault fault = Fault::of(Code::memory_full);
  Word capacity = wanted_capacity(control.state, needed);
  Word size = 0;
  // Where memory is short, a smaller segment is better than none.
  for (; fault.code == Code::memory_full && capacity >= round_up(needed, page_size); capacity /= 2) {
    size = std::min(capacity, std::max(first_size, round_up(needed, page_size)));
    os::File made;
    fault = store.regions.files().create(held, DictFiles::segment(file), size, &made);
    if (!fault || capacity == page_size) break;
  }
  if (fault) return fault;
  Change change(store.regions, held);
  SegmentDescriptor& segment = control.segments[number];
  change.set(segment.first, Ref{control.state.tail}.position());
  change.set(segment.size, size);
  change.set(segment.capacity, round_up(capacity, page_size));
  change.set(segment.filled, 0);
  change.set(segment.live, 0);
  change.set(segment.file, file);
  change.commit();
  refresh_log_hints(store);
  char* base = nullptr;
  if (Fault mapping = store.regions.segment(number, file, size, &base)) return mapping;
  os::populate(base, size);
  return {};
}

// Readers check `first` after they copied, so it must be stored before any byte of the new use: hence the fence.
void switch_tail(Store& store, LockHeld held, Word to) {
  Control& control = store.control();
  State& state = control.state;
  const Ref tail{state.tail};
  const Word offset = tail_offset(control);
  Change change(store.regions, held);
  change.set(control.segments[to].first, tail.position());
  change.set(control.segments[to].live, 0);
  change.set(control.segments[tail.segment()].filled, offset);
  change.set(state.closed_size, state.closed_size + offset);
  change.set(state.tail, Ref::at(tail.position(), to).word);
  change.commit();
  std::atomic_thread_fence(std::memory_order_release);
  free_if_empty(store, held, tail.segment());
  refresh_log_hints(store);
}

// Whether cleaning could still begin if only `left` bytes were left behind the tail.
bool keeps_reserve(const State& state, Word left) { return state.fullest <= left || state.fullest <= state.spare; }

// Lets the tail's file grow, in steps, as far as it was meant to.
Fault grow_tail(Store& store, LockHeld held, Word end) {
  Control& control = store.control();
  const Word number = Ref{control.state.tail}.segment();
  SegmentDescriptor& segment = control.segments[number];
  if (end > segment.capacity) return Fault::of(Code::memory_full);
  const Word step = std::clamp(segment.size, first_size, allocation_step);
  const Word size = std::min(segment.capacity, std::max(round_up(end, page_size), segment.size + step));
  if (Fault fault = store.regions.files().grow(held, DictFiles::segment(segment.file), segment.size, size))
    return fault;
  shared::store(segment.size, size);
  return {};
}

Fault go_on_elsewhere(Store& store, LockHeld held, Word needed, bool for_move) {
  Control& control = store.control();
  const State& state = control.state;
  const Word number = largest_free(control, needed);
  const Word wanted = std::min(wanted_capacity(state, needed) / 2, 2 * state.live_size + needed);
  if (number != segments_max && control.segments[number].capacity >= wanted) {
    switch_tail(store, held, number);
    return {};
  }
  const Fault fault = create_free_segment(store, held, needed);
  if (fault.code == Code::memory_full && number != segments_max) {
    switch_tail(store, held, number);
    return {};
  }
  return fault.code == Code::memory_full && !for_move ? reclaim(store, held) : fault;
}

}  // namespace

Word tail_offset(const Control& control) {
  const Ref tail{shared::load_relaxed(control.state.tail)};
  return (tail.position() - shared::load_relaxed(control.segments[tail.segment()].first)) * unit_size;
}

Word dead_size(const Control& control) {
  const Word written = shared::load_relaxed(control.state.closed_size) + tail_offset(control);
  const Word live = shared::load_relaxed(control.state.live_size);
  return written > live ? written - live : 0;  // without the lock they are a moment apart
}

bool is_closed(const Control& control, Word segment) { return control.segments[segment].filled != 0; }

bool is_protected(const Control& control, Word segment) {
  const Word begin = control.state.batch_begin;
  const SegmentDescriptor& found = control.segments[segment];
  return begin != 0 && found.first + found.filled / unit_size > begin;
}

Fault make_room(Store& store, LockHeld held, Word size, Room* room) {
  Control& control = store.control();
  const State& state = control.state;
  for (int round = 0; round < rounds_max; ++round) {
    const Ref tail{state.tail};
    const SegmentDescriptor& segment = control.segments[tail.segment()];
    const Word end = tail_offset(control) + size;
    if (end <= segment.size && keeps_reserve(state, segment.size - end)) {
      room->ref = tail;
      char* base = nullptr;
      if (Fault fault = store.regions.segment(tail.segment(), segment.file, end, &base)) return fault;
      room->at = base + (end - size);
      return {};
    }
    Fault fault;
    if (end > segment.size) {
      fault = grow_tail(store, held, end);
      if (fault.code == Code::memory_full) fault = go_on_elsewhere(store, held, size, false);
    } else {
      refresh_log_hints(store);
      if (keeps_reserve(state, segment.size - end)) continue;
      fault = create_free_segment(store, held, state.fullest);
      if (fault.code == Code::memory_full) fault = reclaim(store, held);
    }
    if (fault) return fault;
  }
  return Fault::of(Code::memory_full, "no room in the log");
}

Fault make_room_for_move(Store& store, LockHeld held, Word size, Room* room) {
  Control& control = store.control();
  for (int round = 0; round < rounds_max; ++round) {
    const Ref tail{control.state.tail};
    const SegmentDescriptor& segment = control.segments[tail.segment()];
    const Word end = tail_offset(control) + size;
    if (end <= segment.size) {
      room->ref = tail;
      char* base = nullptr;
      if (Fault fault = store.regions.segment(tail.segment(), segment.file, end, &base)) return fault;
      room->at = base + (end - size);
      return {};
    }
    Fault fault = grow_tail(store, held, end);
    if (fault.code == Code::memory_full) fault = go_on_elsewhere(store, held, size, true);
    if (fault) return fault;
  }
  return Fault::of(Code::memory_full, "no room in the log");
}

Fault close_tail(Store& store, LockHeld held, bool may_allocate) {
  const Control& control = store.control();
  if (tail_offset(control) == 0) return {};
  Word number = largest_free(control, 1);
  if (number == segments_max && may_allocate) {
    if (Fault fault = create_free_segment(store, held, page_size)) return fault;
    number = largest_free(control, 1);
  }
  if (number == segments_max) return Fault::of(Code::memory_full, "no free segment");
  switch_tail(store, held, number);
  return {};
}

void free_segment(Store& store, LockHeld held, Word number) {
  Control& control = store.control();
  State& state = control.state;
  SegmentDescriptor& segment = control.segments[number];
  Word free_files = 0;
  for (Word other = control_segments; other < segments_max; ++other) free_files += is_free(control, other) ? 1 : 0;
  const bool keep = number < control_segments || free_files < free_files_kept;
  Change change(store.regions, held);
  if (state.victim == number + 1) change.set(state.victim, 0);
  change.set(state.closed_size, state.closed_size - segment.filled);
  change.set(segment.filled, 0);
  change.set(segment.live, 0);
  if (!keep) {
    const Word file = segment.file;
    change.set(segment.file, 0);
    change.set(segment.size, 0);
    change.set(segment.capacity, 0);
    change.remove_file(FileKind::segment, file);
  }
  change.commit();
  refresh_log_hints(store);
}

void free_if_empty(Store& store, LockHeld held, Word number) {
  const Control& control = store.control();
  if (!is_closed(control, number) || control.segments[number].live != 0 || is_protected(control, number)) return;
  free_segment(store, held, number);
}

void free_cleared_segments(Store& store, LockHeld held) {
  const Control& control = store.control();
  for (Word number = 0; number < segments_max; ++number) {
    const SegmentDescriptor& segment = control.segments[number];
    const bool cleared = segment.first + segment.filled / unit_size <= control.state.cleared_at;
    if (is_closed(control, number) && cleared) free_segment(store, held, number);
  }
}

void refresh_log_hints(Store& store) {
  const Control& control = store.control();
  Word fullest = 0;
  Word spare = 0;
  for (Word number = 0; number < segments_max; ++number) {
    const SegmentDescriptor& segment = control.segments[number];
    if (is_free(control, number)) spare = std::max(spare, segment.size);
    if (!is_closed(control, number)) continue;
    fullest = std::max(fullest, is_protected(control, number) ? segment.filled : segment.live);
  }
  shared::store(store.state().fullest, fullest);
  shared::store(store.state().spare, spare);
}

}  // namespace ultradict
