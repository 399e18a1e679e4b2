// SPDX-License-Identifier: Apache-2.0
// Recovery: what the next owner of the lock does after a dead one. The journal is applied again, a pending batch
// finished, and what the dead one had made but not yet named is removed. Each step may itself be cut short, as often as
// it takes.
#pragma once

#include "store/store.h"

namespace ultradict {

// `after_death`: the lock was taken from a dead owner.
Fault recover(Store& store, LockHeld held, bool after_death);

}  // namespace ultradict
