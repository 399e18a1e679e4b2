// SPDX-License-Identifier: Apache-2.0
// Log: room for records. Records go behind the tail; a full segment is closed and the tail goes on in a free one, or in
// a new file.
//
// Room for cleaning is part of the room: a record is only accepted if afterwards the live bytes of each segment would
// fit into the free ones (reserve.h). So cleaning never needs new memory: a full dict can still be cleaned, and a
// deletion is followed by room.
#pragma once

#include <algorithm>

#include "store/change.h"
#include "store/reserve.h"
#include "store/store.h"
#include "structures/record.h"

namespace ultradict {

// Where the next record goes.
struct Room {
  Ref ref;
  char* at = nullptr;
  Word offset = 0;  // in its segment
};

// The room that is there at the tail, `offset` bytes into its segment.
[[gnu::always_inline]] inline Fault room_at(Store& store, Ref tail, Word offset, Word size, Room* room) {
  constexpr Word prefetched_ahead = 256;  // bytes behind a new record
  char* base = nullptr;
  const Word file = store.control().segments[tail.segment()].file;
  // An offset near the end of all numbers stands for a tail that lies before its segment.
  if (offset + size < size) [[unlikely]]
    return Fault::damaged("tail: offset", offset, store.control().segments[tail.segment()].size);
  if (Fault fault = store.regions.segment(tail.segment(), file, offset + size, &base)) return fault;
  *room = {tail, base + offset, offset};
  // Leaving the lock waits until all that was written has its cache lines: those of the records to come are fetched
  // now.
  __builtin_prefetch(room->at + size + prefetched_ahead, 1);
  return {};
}

// Makes room for a record of `size` bytes behind the tail. May move other records and change the segment of the tail,
// so whatever the caller knew of refs is old. memory_full: nothing is lost, nothing changed that anybody can see.
Fault make_room_slowly(Store& store, LockHeld held, Word size, Room* room);
[[gnu::always_inline]] inline Fault make_room(Store& store, LockHeld held, Word size, Room* room) {
  const Control& control = store.control();
  const State& state = control.state;
  const Ref tail{state.tail};
  const SegmentDescriptor& segment = control.segments[tail.segment()];
  const Word offset = (tail.position() - segment.first) * unit_size;
  const Word live = state.batch_begin == 0 ? std::min(segment.live, offset) : live_size(control, tail.segment());
  const bool fits = offset + size <= segment.size;
  const bool is_largest = size > page_size && size > state.largest_record;
  if (!fits || std::max(state.fullest, live + size) > state.spare || is_largest) [[unlikely]]
    return make_room_slowly(store, held, size, room);
  return room_at(store, tail, offset, size, room);
}

// Room for a record that cleaning moves. memory_full: there is none that leaves the reserve.
Fault make_room_for_move(Store& store, LockHeld held, Word size, Room* room);

// The tail goes on in a free segment, so that what it holds now can be cleaned. memory_full: there is none that leaves
// the reserve.
Fault close_tail(Store& store, LockHeld held);

// Bytes of records that no entry names; none where a damaged control says that there is more live than was written.
inline Word dead_size(const Control& control) {
  const Word written = control.state.closed_size + tail_offset(control);
  const Word live = control.state.live_size;
  return written > live ? written - live : 0;
}

// Ends a closed segment with nothing live in it: it becomes free, or its file goes if there are free ones enough.
Fault free_segment(Store& store, LockHeld held, Word number);
// The same, if it is one.
inline void free_if_empty(Store& store, LockHeld held, Word number) {
  const Control& control = store.control();
  if (!is_closed(control, number) || control.segments[number].live != 0 || is_protected(control, number)) return;
  (void)free_segment(store, held, number);
}

// Memory is full elsewhere: a free segment that is neither needed as reserve nor set aside gives its file back; false
// if there is none.
bool give_back_free_segment(Store& store, LockHeld held);

// Makes free segments until the log has `size` bytes: they are kept as long as the dict lives.
Fault set_aside_segments(Store& store, LockHeld held, Word size);

// Nothing lives in the log: it goes on in a small segment, and the files of the others go.
void begin_log_anew(Store& store, LockHeld held);

// The segments that a clear left behind.
void free_cleared_segments(Store& store, LockHeld held);

// Recomputes the two figures of the log that State keeps: fullest, spare.
void refresh_log_hints(Store& store);

}  // namespace ultradict
