// SPDX-License-Identifier: Apache-2.0
// Recovery: what the next owner of the lock does after a dead one. The journal is applied again, a pending batch
// finished, nested dicts that nothing refers to freed, and what the dead one had made but not yet named is removed.
// Each step may itself be cut short, as often as it takes.
#pragma once

#include "store/store.h"

namespace ultradict {

Fault recover(Store& store, LockHeld held);

// Removes what no writer that lives is making and control does not name; how many files that were.
int sweep_orphans(Store& store, LockHeld held);

// Of that, what writers that died have staged, without the lock; where its memory goes back to a bound, it has the lock
// for one file at a time, and leaves to others what it cannot have it for at once.
void sweep_staged(Store& store);

}  // namespace ultradict
