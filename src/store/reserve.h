// SPDX-License-Identifier: Apache-2.0
// Reserve: the free segments that are held back, so that a log whose memory is full can still be cleaned: together they
// must take the live bytes of any segment. Here is decided what may be written where; nothing here changes anything.
//
// All of it under the lock.
#pragma once

#include <algorithm>

#include "base/shared_atomic.h"
#include "layout.h"

namespace ultradict {

// Where the tail is, in bytes from the begin of its segment.
inline Word tail_offset(const Control& control) {
  const Ref tail{control.state.tail};
  return (tail.position() - control.segments[tail.segment()].first) * unit_size;
}

// Bytes of a segment that cleaning would have to move: those of a batch under way are not live yet, and will be.
inline Word live_size(const Control& control, Word number) {
  const SegmentDescriptor& segment = control.segments[number];
  const Word size = Ref{control.state.tail}.segment() == number ? tail_offset(control) : segment.filled;
  if (control.state.batch_begin == 0) [[likely]]
    return std::min(segment.live, size);
  const Word end = segment.first + size / unit_size;
  const Word begin = std::clamp(control.state.batch_begin, segment.first, end);
  return std::min(segment.live + (end - begin) * unit_size, size);
}
inline Word tail_live(const Control& control) { return live_size(control, Ref{control.state.tail}.segment()); }

// What the free segments must take if a record of `size` is put behind the tail.
inline Word reserve_for(const Control& control, Word size) {
  return std::max(control.state.fullest, tail_live(control) + size);
}

// Whether a segment that is free, or the tail, has so many bytes left.
inline bool has_room(const Control& control, Word number, Word size) {
  const Word begin = Ref{control.state.tail}.segment() == number ? tail_offset(control) : 0;
  return begin + size <= control.segments[number].size;
}

// The segment that is being emptied; segments_max if there is none.
inline Word victim_of(const Control& control) {
  return std::min(shared::load_relaxed(control.state.victim) - 1, segments_max);
}

bool is_free(const Control& control, Word number);
// Closed segments are what cleaning works on, but not those that hold records of a batch under way.
inline bool is_closed(const Control& control, Word number) { return control.segments[number].filled != 0; }
bool is_protected(const Control& control, Word number);
// The position behind the last record of a segment; 0 if it holds none.
inline Word end_of_records(const Control& control, Word number) {
  const Ref tail{control.state.tail};
  if (tail.segment() == number) return tail.position();
  const SegmentDescriptor& segment = control.segments[number];
  return segment.filled == 0 ? 0 : segment.first + segment.filled / unit_size;
}

// The largest free segment but `other`; segments_max if there is none.
Word largest_free_but(const Control& control, Word other);

// What the free segments take of the records of one segment, as one or several: those that are free but for `without`,
// and `with`, which will be. segments_max: none.
Word spare_of(const Control& control, Word without, Word with);

// Whether a record may go into segment `tail`, the present one or a free one: then every segment's live bytes must fit
// into the free segments.
bool leaves_reserve(const Control& control, Word tail, Word size);
// The free segment to go on in: large enough to be worth it, and leaving a reserve; segments_max if there is none.
Word next_tail(const Control& control, Word size, Word wanted);

// The same for what cleaning moves: the reserve must be there when the segment that is being emptied has become free.
bool may_move_to_tail(const Control& control, Word size);
// The smallest that takes all there is to move, so that the reserve remains; the reserve itself if the emptied segment
// will be as good; or the largest where it takes several.
Word next_tail_for_moves(const Control& control, Word size);
// Whether a closed segment can be emptied like that without new memory.
bool may_empty(const Control& control, Word number);
// How many bytes are there again when it is: its dead ones, and its end where that was left unused and is worth it.
Word gain_of_emptying(const Control& control, Word number);
// Whether the tail can go on in a free segment now, to be emptied itself, and there will be a reserve again.
bool may_close_tail(const Control& control);
// The segment that the tail goes on in when it is closed.
Word next_of_closed_tail(const Control& control);

}  // namespace ultradict
