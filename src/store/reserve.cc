// SPDX-License-Identifier: Apache-2.0
#include "store/reserve.h"

namespace ultradict {

bool is_free(const Control& control, Word number) {
  const SegmentDescriptor& segment = control.segments[number];
  return segment.file != 0 && segment.filled == 0 && Ref{control.state.tail}.segment() != number;
}

bool is_protected(const Control& control, Word number) {
  const Word begin = control.state.batch_begin;
  const SegmentDescriptor& found = control.segments[number];
  return begin != 0 && found.first + found.filled / unit_size > begin;
}

Word largest_free_but(const Control& control, Word other) {
  Word best = segments_max;
  for (Word number = 0; number < segments_max; ++number) {
    if (!is_free(control, number) || number == other) continue;
    if (best == segments_max || control.segments[number].size > control.segments[best].size) best = number;
  }
  return best;
}

bool leaves_reserve(const Control& control, Word tail, Word size) {
  const Word present = Ref{control.state.tail}.segment();
  const Word spare_number = largest_free_but(control, tail);
  const Word spare = spare_number == segments_max ? 0 : control.segments[spare_number].size;
  for (Word number = 0; number < segments_max; ++number) {
    const bool holds = number == tail || number == present || is_closed(control, number);
    if (!holds) continue;
    const Word live = live_size(control, number) + (number == tail ? size : 0);
    if (live > spare) return false;
  }
  return true;
}

Word next_tail(const Control& control, Word size, Word wanted) {
  Word best = segments_max;
  for (Word number = 0; number < segments_max; ++number) {
    if (!is_free(control, number) || !has_room(control, number, size)) continue;
    if (control.segments[number].capacity < wanted || !leaves_reserve(control, number, size)) continue;
    if (best == segments_max || control.segments[number].size > control.segments[best].size) best = number;
  }
  return best;
}

namespace {

// What is still to be moved out of the segment that is being emptied, and the free segment that it will be.
Word left_to_move(const Control& control) {
  const Word victim = victim_of(control);
  return victim == segments_max ? 0 : live_size(control, victim);
}
Word spare_to_come(const Control& control) {
  const Word victim = victim_of(control);
  return victim == segments_max ? 0 : control.segments[victim].size;
}

Word smallest_free_of(const Control& control, Word size) {
  Word best = segments_max;
  for (Word number = 0; number < segments_max; ++number) {
    if (!is_free(control, number) || control.segments[number].size < size) continue;
    if (best == segments_max || control.segments[number].size < control.segments[best].size) best = number;
  }
  return best;
}

}  // namespace

bool may_move_to_tail(const Control& control, Word size) {
  const Word tail = Ref{control.state.tail}.segment();
  if (!has_room(control, tail, size)) return false;
  if (reserve_for(control, size) <= control.state.spare) return true;
  const Word all = std::max(left_to_move(control), size);
  return has_room(control, tail, all) && reserve_for(control, all) <= spare_to_come(control);
}

bool may_empty(const Control& control, Word number) {
  const SegmentDescriptor& segment = control.segments[number];
  const Word tail = Ref{control.state.tail}.segment();
  const Word needed = reserve_for(control, segment.live);
  if (has_room(control, tail, segment.live) && needed <= std::max(control.state.spare, segment.size)) return true;
  const Word next = smallest_free_of(control, segment.live);
  if (next == segments_max) return false;
  // What the tail has left may be filled up first, as far as the reserve allows.
  const Word left = control.segments[tail].size - tail_offset(control);
  const Word filled_up = std::max(control.state.fullest, std::min(tail_live(control) + left, control.state.spare));
  const Word other = largest_free_but(control, next);
  const Word spare = other == segments_max ? 0 : control.segments[other].size;
  return filled_up <= std::max(spare, segment.size);
}

bool may_close_tail(const Control& control) {
  if (control.state.batch_begin != 0) return false;
  const Word kept = largest_free_but(control, segments_max);
  if (kept == segments_max) return false;
  const bool only_one = largest_free_but(control, kept) == segments_max;
  const Word emptied = Ref{control.state.tail}.segment();
  return reserve_for(control, 0) <= control.segments[only_one ? emptied : kept].size;
}

// The smallest that takes all there is to move, so that the reserve remains; the reserve itself only if the emptied
// segment will be as good.
Word next_tail_for_moves(const Control& control, Word size) {
  const Word number = smallest_free_of(control, std::max(left_to_move(control), size));
  const Word other = largest_free_but(control, number);
  const Word spare = other == segments_max ? 0 : control.segments[other].size;
  return std::max(spare, spare_to_come(control)) >= reserve_for(control, 0) ? number : segments_max;
}

}  // namespace ultradict
