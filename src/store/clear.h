// SPDX-License-Identifier: Apache-2.0
// Clear, of the root: an empty table takes the place of the full one, in one change, at a cost that does not depend on
// the size.
//
// Of the two slot arrays in control one is not in use: it becomes the new one, so that clearing needs no memory. The
// table number is odd while the stores are under way; readers that meet an odd or another number look again. All nested
// dicts go with it.
#pragma once

#include "store/store.h"

namespace ultradict {

Fault clear(Store& store, LockHeld held);

// Whether the last key is gone and has left much memory behind. What a queue that runs empty now and then needs again
// is not much, nor is what full_dump_size sets aside.
inline bool is_empty_and_large(const Control& control) {
  constexpr Word entries_kept = 2048;
  constexpr Word log_size_kept = 1024 * 1024;  // bytes
  const State& state = control.state;
  if (state.count != 0 || state.dict_count != 0) [[likely]]
    return false;
  const Word log_size = state.spare + control.segments[Ref{state.tail}.segment()].size;
  return state.entries_size > entries_kept || log_size > log_size_kept + control.identity.full_dump_size;
}
// The same as clear() for a dict that is empty already: nothing that anybody sees happens.
Fault give_back_memory(Store& store, LockHeld held);

}  // namespace ultradict
