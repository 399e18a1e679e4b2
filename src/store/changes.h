// SPDX-License-Identifier: Apache-2.0
// Changes: which entries changed since a moment, for who keeps a copy of the dict.
//
// What was written since lies in the log behind the position of that moment, moved or not; what was deleted since is at
// the begin of the free list, latest first, unless its entry was used again, for a key that was written or a nested
// dict that a record refers to. Both are walked without the lock, and only as far back as the moment.
#pragma once

#include <vector>

#include "store/store.h"

namespace ultradict {

bool changed_since(const Store& store, const Progress& progress);

// As Dict::changes, of the root or a nested dict. What changed in the others is named as gone.
Fault changes(Store& store, ChildId dict, Progress* progress, std::vector<Sighting>* changed);

}  // namespace ultradict
