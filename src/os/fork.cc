// SPDX-License-Identifier: Apache-2.0
#include "os/fork.h"

#include <pthread.h>

namespace ultradict::os {

void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) {
  ::pthread_atfork(before, in_parent, in_child);
}

}  // namespace ultradict::os
