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

namespace {

constexpr Word moved_per_byte_gained_max = 16;

Word unused_at_tail(const Control& control) {
  return control.segments[Ref{control.state.tail}.segment()].size - tail_offset(control);
}

// What is lost, at most, at the end of a segment, where the next record does not fit.
Word lost_at_end(const Control& control) { return std::max(page_size, control.state.largest_record); }

Word usable(const Control& control, Word size) {
  const Word lost = lost_at_end(control);
  return size > lost ? size - lost : 0;
}

// What the tail and the free segments take together.
Word room_in_all(const Control& control) {
  Word room = usable(control, unused_at_tail(control));
  for (Word number = 0; number < segments_max; ++number) {
    if (is_free(control, number)) room += usable(control, control.segments[number].size);
  }
  return room;
}

Word smallest_free_of(const Control& control, Word size) {
  Word best = segments_max;
  for (Word number = 0; number < segments_max; ++number) {
    if (!is_free(control, number) || control.segments[number].size < size) continue;
    if (best == segments_max || control.segments[number].size < control.segments[best].size) best = number;
  }
  return best;
}

// The most live bytes in one segment when the tail is filled up, as far as the reserve allows.
Word fullest_to_come(const Control& control) {
  const Word left = unused_at_tail(control);
  return std::max(control.state.fullest, std::min(tail_live(control) + left, control.state.spare));
}

// Whether a segment can be emptied into all room there is, and there is as much again as the fullest needs when it is
// free: then any of them can follow. Records have to wait for that.
bool fits_into_all(const Control& control, Word number) {
  const Word room = room_in_all(control);
  const Word live = live_size(control, number);
  if (live > room) return false;
  const Word after = room - live + usable(control, control.segments[number].size);
  const Word here = std::min(live, unused_at_tail(control));
  const Word tail_then = tail_live(control) + here;
  if (here == live) return control.state.fullest <= after && tail_then <= spare_of(control, segments_max, number);
  const Word next = largest_free_but(control, segments_max);
  return std::max(control.state.fullest, tail_then) <= after && live - here <= spare_of(control, next, number);
}

// Whether what lives in a segment can be moved behind the tail, and leaves a reserve.
bool fits_into_tail(const Control& control, Word number) {
  const Word live = control.segments[number].live;
  const bool has_place = has_room(control, Ref{control.state.tail}.segment(), live);
  return has_place && reserve_for(control, live) <= spare_of(control, segments_max, number);
}

}  // namespace

Word spare_of(const Control& control, Word without, Word with) {
  Word largest = 0;
  Word all = 0;
  for (Word number = 0; number < segments_max; ++number) {
    if (number == without || (number != with && !is_free(control, number))) continue;
    largest = std::max(largest, control.segments[number].size);
    all += usable(control, control.segments[number].size);
  }
  return std::max(largest, all);
}

bool leaves_reserve(const Control& control, Word tail, Word size) {
  const Word present = Ref{control.state.tail}.segment();
  const Word spare = spare_of(control, tail, segments_max);
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

bool may_move_to_tail(const Control& control, Word size) {
  const Word tail = Ref{control.state.tail}.segment();
  if (!has_room(control, tail, size)) return false;
  if (reserve_for(control, size) <= control.state.spare) return true;
  const Word victim = victim_of(control);
  if (victim == segments_max) return false;
  const Word all = std::max(live_size(control, victim), size);
  const bool fits =
      has_room(control, tail, all) && reserve_for(control, all) <= spare_of(control, segments_max, victim);
  return fits || fits_into_all(control, victim);
}

bool may_empty(const Control& control, Word number) {
  if (fits_into_tail(control, number)) return true;
  const SegmentDescriptor& segment = control.segments[number];
  const Word next = smallest_free_of(control, segment.live);
  if (next != segments_max && fullest_to_come(control) <= spare_of(control, next, number)) return true;
  // Only where more is gained than the ends of several lose.
  const Word dead = segment.filled - segment.live;
  return dead >= 2 * lost_at_end(control) && fits_into_all(control, number);
}

// The tail's own end is left unused where the records have to go on in a free segment: only more than that is gained,
// so that no two segments are emptied by turns for ever.
Word gain_of_emptying(const Control& control, Word number) {
  const SegmentDescriptor& segment = control.segments[number];
  const Word dead = segment.filled - segment.live;
  const Word unused = segment.size > segment.filled ? segment.size - segment.filled : 0;
  const Word left_at_tail = fits_into_tail(control, number) ? 0 : unused_at_tail(control);
  const Word worth_moving = std::max(lost_at_end(control), segment.live / moved_per_byte_gained_max);
  return unused > std::max(worth_moving, left_at_tail) ? dead + unused : dead;
}

bool may_close_tail(const Control& control) {
  if (control.state.batch_begin != 0) return false;
  const Word next = next_of_closed_tail(control);
  if (next == segments_max) return false;
  const Word needed = reserve_for(control, 0);
  if (needed <= spare_of(control, next, segments_max)) return true;
  // It is the reserve itself, or a part of it: the tail is emptied at once.
  return tail_live(control) <= control.state.spare &&
         needed <= spare_of(control, next, Ref{control.state.tail}.segment());
}

Word next_of_closed_tail(const Control& control) {
  const Word kept = largest_free_but(control, segments_max);
  const Word other = largest_free_but(control, kept);
  return other == segments_max ? kept : other;
}

Word next_tail_for_moves(const Control& control, Word size) {
  const Word victim = victim_of(control);
  if (victim == segments_max) return segments_max;
  const Word number = smallest_free_of(control, std::max(live_size(control, victim), size));
  const bool is_one = number != segments_max;
  if (is_one && spare_of(control, number, victim) >= reserve_for(control, 0)) return number;
  const Word largest = largest_free_but(control, segments_max);
  const bool has_place = largest != segments_max && has_room(control, largest, size);
  return has_place && fits_into_all(control, victim) ? largest : segments_max;
}

}  // namespace ultradict
