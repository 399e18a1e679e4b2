// SPDX-License-Identifier: Apache-2.0
// What must be done when the process forks, so that the child finds every mutex in order.
#pragma once

namespace ultradict::os {

// For the rest of the process's life.
void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)());

}  // namespace ultradict::os
