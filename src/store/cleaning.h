// SPDX-License-Identifier: Apache-2.0
// Cleaning: the live records of the emptiest closed segment are moved to the tail, a few with every write, until it can
// be used again. Whoever writes next goes on: how far it got is in control.
//
// A moved record keeps its sequence, so whoever holds its decoded value knows that it is still the same.
#pragma once

#include "store/log.h"
#include "store/store.h"

namespace ultradict {

inline constexpr Word dead_size_kept = 256 * 1024;  // cleaning rests while dead <= live / 2 + this

inline bool is_clean_enough(const Control& control) {
  return dead_size(control) <= control.state.live_size / 2 + dead_size_kept;
}

// What a write owes for `size` bytes that it appended or killed; not while a batch is under way, whose records are not
// live yet.
Fault clean_some(Store& store, LockHeld held, Word size);
inline Fault pay_cleaning(Store& store, LockHeld held, Word size) {
  return is_clean_enough(store.control()) ? Fault::none() : clean_some(store, held, size);
}

// Moves every record out of every closed segment that has dead bytes, and the tail's own.
Fault clean_all(Store& store, LockHeld held);

// The same, and the stream counters of the classic design begin anew.
Fault dump_all(Store& store, LockHeld held);

// Memory is full: empties one segment, with the room held back for that. ok: there is more room now; memory_full:
// nothing is left to be gained.
Fault reclaim(Store& store, LockHeld held);

}  // namespace ultradict
