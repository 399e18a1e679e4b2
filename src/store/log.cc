// SPDX-License-Identifier: Apache-2.0
#include "store/log.h"

#include <algorithm>

#include "store/cleaning.h"
#include "store/reserve.h"

namespace ultradict {

namespace {

constexpr Word free_files_kept = 2;
constexpr Word set_aside_count = 16;    // segments, at most about so many
constexpr Word first_size = 64 * 1024;  // of a segment's file; then it doubles, by at most allocation_step
constexpr int rounds_max = 1024;        // of make_room: each allocates, switches or empties a segment
constexpr Word files_made_max = 8;      // in these: where so many are not enough, more are not

Word log_size(const Control& control) {
  Word size = 0;
  for (const SegmentDescriptor& segment : control.segments) size += segment.size;
  return size;
}

// Whether the file of a free segment is of what full_dump_size set aside.
bool is_set_aside(const Control& control, Word number) {
  return log_size(control) - control.segments[number].size < control.identity.full_dump_size;
}

// How large a segment should be for what was written: the log is made of a few dozen. (A batch under way is written,
// not live.)
Word wanted_capacity(const State& state, Word needed) {
  return round_up(std::max({segment_size_min, state.closed_size / 16, needed}), page_size);
}

// Memory is taken for what is recorded only where the file has it: a number that lies must not use up the machine.
Fault check_claim(Store& store, Word number, Word end) {
  const SegmentDescriptor& segment = store.control().segments[number];
  char* base = nullptr;
  if (end > segment.size) return Fault::damaged("segment: filled", end, segment.size);
  return store.regions.segment(number, segment.file, end, &base);
}
Fault check_tail(Store& store) {
  return check_claim(store, Ref{store.state().tail}.segment(), tail_offset(store.control()));
}

// That a reserve of this size is needed is what some segments say of what lives in them.
Fault check_need(Store& store, Word reserve) {
  const Control& control = store.control();
  for (Word number = 0; number < segments_max; ++number) {
    if (!is_closed(control, number) || live_size(control, number) < reserve) continue;
    if (Fault fault = check_claim(store, number, control.segments[number].filled)) return fault;
  }
  return check_tail(store);
}

// The file of a segment that is free, or the tail, gets at least `size` bytes: in steps, or no more than that where
// memory is short.
Fault grow_segment(Store& store, LockHeld held, Word number, Word size) {
  SegmentDescriptor& segment = store.control().segments[number];
  if (size > segment.capacity) return Fault::of(Code::memory_full);
  const Word from = segment.size;
  const Word least = std::min(segment.capacity, round_up(size, page_size));
  Word to = std::min(segment.capacity, std::max(least, from + std::clamp(from, first_size, allocation_step)));
  const os::FileName file = DictFiles::segment(segment.file);
  Fault fault = store.regions.files().grow(held, file, from, to);
  if (fault.code == Code::memory_full && least < to) {
    to = least;
    fault = store.regions.files().grow(held, file, from, to);
  }
  if (fault) return fault;
  shared::store(segment.size, to);
  char* base = nullptr;
  if (Fault mapping = store.regions.segment(number, segment.file, to, &base)) return mapping;
  os::populate(base + from, to - from);
  return {};
}

// Where memory is short, the file begins with less and grows when there is more: its number stands for a whole segment,
// and there are not many numbers.
Fault create_segment_file(Store& store, LockHeld held, Word file, Word needed, Word capacity, Word* size) {
  Fault fault = Fault::of(Code::memory_full);
  *size = std::min(capacity, std::max(first_size, round_up(needed, page_size)));
  for (; fault.code == Code::memory_full && *size >= round_up(needed, page_size); *size /= 2) {
    os::File made;
    fault = store.regions.files().create(held, DictFiles::segment(file), *size, &made);
    if (!fault || *size == page_size) break;
  }
  return fault;
}

Fault create_free_segment(Store& store, LockHeld held, Word needed) {
  Control& control = store.control();
  if (Fault fault = check_need(store, reserve_for(control, 0))) return fault;
  Word number = control_segments;
  while (number < segments_max && control.segments[number].file != 0) ++number;
  if (number == segments_max) return Fault::of(Code::memory_full, "all segments of the log are in use");
  const Word file = control.state.next_file;
  shared::store(control.state.next_file, file + 1);
  const Word capacity = wanted_capacity(control.state, needed);
  Word size = 0;
  if (Fault fault = create_segment_file(store, held, file, needed, capacity, &size)) return fault;
  Change change(store.regions, held);
  SegmentDescriptor& segment = control.segments[number];
  change.set(segment.first, Ref{control.state.tail}.position());
  change.set(segment.size, size);
  change.set(segment.capacity, capacity);
  change.set(segment.filled, 0);
  change.set(segment.live, 0);
  change.set(segment.file, file);
  if (Fault fault = change.commit()) return fault;
  refresh_log_hints(store);
  char* base = nullptr;
  if (Fault fault = store.regions.segment(number, file, size, &base)) return fault;
  os::populate(base, size);
  return {};
}

// Readers check `first` after they copied, so it must be stored before any byte of the new use: hence the fence.
Fault switch_tail(Store& store, LockHeld held, Word to) {
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
  if (Fault fault = change.commit()) return fault;
  shared::release_fence();
  free_if_empty(store, held, tail.segment());
  refresh_log_hints(store);
  return {};
}

// A free segment's file goes.
Fault remove_segment(Store& store, LockHeld held, Word number) {
  SegmentDescriptor& segment = store.control().segments[number];
  const Word file = segment.file;
  Change change(store.regions, held);
  change.set(segment.file, 0);
  change.set(segment.size, 0);
  change.set(segment.capacity, 0);
  change.remove_file(FileKind::segment, file);
  if (Fault fault = change.commit()) return fault;
  refresh_log_hints(store);
  return {};
}

// Grows the tail, goes on in a free segment, or makes one: whatever comes first of what more memory can do.
[[gnu::cold]] Fault extend(Store& store, LockHeld held, Word size) {
  const Control& control = store.control();
  const State& state = control.state;
  if (Fault fault = check_tail(store)) return fault;
  const Word end = tail_offset(control) + size;
  Fault fault = grow_segment(store, held, Ref{state.tail}.segment(), end);
  if (fault.code != Code::memory_full) return fault;
  const Word wanted = std::min(wanted_capacity(state, size) / 2, 2 * state.live_size + size);
  const Word next = next_tail(control, size, wanted);
  if (next == segments_max) return create_free_segment(store, held, std::max(size, reserve_for(control, 0)));
  return switch_tail(store, held, next);
}

// Makes the largest free segment large enough to be the reserve, or another one.
[[gnu::cold]] Fault provide_reserve(Store& store, LockHeld held, Word size) {
  const Control& control = store.control();
  if (Fault fault = check_need(store, reserve_for(control, 0))) return fault;
  const Word needed = reserve_for(control, size);
  for (Word number = control_segments; number < segments_max; ++number) {
    if (!is_free(control, number) || control.segments[number].capacity < needed) continue;
    const Fault fault = grow_segment(store, held, number, needed);
    refresh_log_hints(store);
    return fault;
  }
  return create_free_segment(store, held, needed);
}

// Memory is full: what can be done with what is there. `*here`: the record may go where the tail is now.
[[gnu::cold]] Fault make_do(Store& store, LockHeld held, Word size, bool* here) {
  const Control& control = store.control();
  const Word tail = Ref{control.state.tail}.segment();
  *here = has_room(control, tail, size) && leaves_reserve(control, tail, size);
  if (*here) return {};
  const Word next = next_tail(control, size, 0);
  if (next == segments_max) return reclaim(store, held);
  return switch_tail(store, held, next);
}

Fault room_at_tail(Store& store, Word size, Room* room) {
  return room_at(store, Ref{store.control().state.tail}, tail_offset(store.control()), size, room);
}

Fault make_room_in_rounds(Store& store, LockHeld held, Word size, Room* room) {
  const Control& control = store.control();
  const Word files_before = control.state.next_file;
  for (int round = 0; round < rounds_max; ++round) {
    refresh_log_hints(store);  // nothing is allocated on the word of a hint
    const bool fits = has_room(control, Ref{control.state.tail}.segment(), size);
    if (fits && reserve_for(control, size) <= control.state.spare) return room_at_tail(store, size, room);
    Fault fault = Fault::of(Code::memory_full);
    if (control.state.next_file - files_before < files_made_max)
      fault = fits ? provide_reserve(store, held, size) : extend(store, held, size);
    if (fault.code == Code::memory_full) {
      bool here = false;
      const Fault making_do = make_do(store, held, size, &here);
      if (!making_do && here) return room_at_tail(store, size, room);
      // If nothing can be done, what the kernel refused is what is told.
      if (making_do.code != Code::memory_full || fault.error == 0) fault = making_do;
    }
    if (fault) return fault;
  }
  return Fault::of(Code::memory_full, "no room in the log");
}

}  // namespace

// With larger records several free segments take less: that must suffice before there is one.
Fault make_room_slowly(Store& store, LockHeld held, Word size, Room* room) {
  Word& largest = store.state().largest_record;
  const Word before = largest;
  if (size > page_size && size > before) shared::store(largest, size);
  const Fault fault = make_room_in_rounds(store, held, size, room);
  if (fault && largest != before) {
    shared::store(largest, before);
    refresh_log_hints(store);
  }
  return fault;
}

Fault make_room_for_move(Store& store, LockHeld held, Word size, Room* room) {
  const Control& control = store.control();
  const Word files_before = control.state.next_file;
  for (int round = 0; round < rounds_max && control.state.next_file - files_before < files_made_max; ++round) {
    if (may_move_to_tail(control, size)) return room_at_tail(store, size, room);
    if (Fault fault = check_tail(store)) return fault;
    refresh_log_hints(store);
    const Word tail = Ref{control.state.tail}.segment();
    const bool fits = has_room(control, tail, size);
    Fault fault =
        fits ? provide_reserve(store, held, size) : grow_segment(store, held, tail, tail_offset(control) + size);
    if (fault.code == Code::memory_full) {
      const Word next = next_tail_for_moves(control, size);
      if (next != segments_max) {
        if (Fault unchanged = switch_tail(store, held, next)) return unchanged;
        continue;
      }
      if (!fits) fault = create_free_segment(store, held, std::max(size, reserve_for(control, 0)));
    }
    if (fault) return fault;
  }
  return Fault::of(Code::memory_full, "no room in the log");
}

Fault close_tail(Store& store, LockHeld held) {
  const Control& control = store.control();
  if (tail_live(control) == tail_offset(control)) return {};  // nothing to clean
  refresh_log_hints(store);
  if (!may_close_tail(control)) {
    if (Fault fault = create_free_segment(store, held, reserve_for(control, 0))) return fault;
  }
  return switch_tail(store, held, next_of_closed_tail(control));
}

Fault free_segment(Store& store, LockHeld held, Word number) {
  Control& control = store.control();
  State& state = control.state;
  SegmentDescriptor& segment = control.segments[number];
  Change change(store.regions, held);
  if (state.victim == number + 1) change.set(state.victim, 0);
  change.set(state.closed_size, state.closed_size - segment.filled);
  change.set(segment.filled, 0);
  change.set(segment.live, 0);
  if (Fault fault = change.commit()) return fault;
  Word free_files = 0;
  for (Word other = control_segments; other < segments_max; ++other) free_files += is_free(control, other) ? 1 : 0;
  refresh_log_hints(store);
  const bool is_kept = number < control_segments || free_files <= free_files_kept || is_set_aside(control, number);
  return is_kept ? Fault::none() : remove_segment(store, held, number);
}

Fault set_aside_segments(Store& store, LockHeld held, Word size) {
  const Control& control = store.control();
  const Word each = round_up(std::max(segment_size_min, size / set_aside_count), page_size);
  Word there = log_size(control);
  if (there < size) {
    if (Fault fault = store.regions.files().budget().check_left(held, size - there)) return fault;
  }
  for (; there < size; there = log_size(control)) {
    if (Fault fault = create_free_segment(store, held, std::min(each, size - there))) return fault;
  }
  return {};
}

bool give_back_free_segment(Store& store, LockHeld held) {
  Control& control = store.control();
  const Word kept = largest_free_but(control, segments_max);
  for (Word number = control_segments; number < segments_max; ++number) {
    if (!is_free(control, number) || is_set_aside(control, number)) continue;
    const Word next = number == kept ? largest_free_but(control, number) : kept;
    if (reserve_for(control, 0) > (next == segments_max ? 0 : control.segments[next].size)) continue;
    return !remove_segment(store, held, number);
  }
  return false;
}

void begin_log_anew(Store& store, LockHeld held) {
  const Control& control = store.control();
  for (Word number = 0; number < control_segments && tail_offset(control) != 0; ++number) {
    if (is_free(control, number)) (void)switch_tail(store, held, number);
  }
  while (give_back_free_segment(store, held)) {
  }
}

void free_cleared_segments(Store& store, LockHeld held) {
  const Control& control = store.control();
  for (Word number = 0; number < segments_max; ++number) {
    const SegmentDescriptor& segment = control.segments[number];
    const bool cleared = segment.first + segment.filled / unit_size <= control.state.cleared_at;
    if (is_closed(control, number) && cleared) (void)free_segment(store, held, number);
  }
}

void refresh_log_hints(Store& store) {
  const Control& control = store.control();
  Word fullest = 0;
  for (Word number = 0; number < segments_max; ++number) {
    if (is_closed(control, number)) fullest = std::max(fullest, live_size(control, number));
  }
  shared::store(store.state().fullest, fullest);
  shared::store(store.state().spare, spare_of(control, segments_max, segments_max));
}

}  // namespace ultradict
