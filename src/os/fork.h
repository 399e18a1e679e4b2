// SPDX-License-Identifier: Apache-2.0
// What must be done when the process forks, so that the child finds every mutex in order.
#pragma once

#include "base/fault.h"

namespace ultradict::os {

// For the rest of the process's life.
void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)());
// The same for UnforkedFile, whose handlers are there before any others.
void at_fork_first(void (*before)(), void (*in_parent)(), void (*in_child)());

// memory_full if there was none for the handlers: a child could find a mutex locked, and nobody who unlocks it.
Fault check_fork_handlers();

}  // namespace ultradict::os
