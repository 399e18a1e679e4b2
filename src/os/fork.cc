// SPDX-License-Identifier: Apache-2.0
#include "os/fork.h"

#include <pthread.h>

#include "os/unforked_file.h"

namespace ultradict::os {

void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) {
  UnforkedFile::prepare_for_forks();  // their mutex is locked while others are held
  ::pthread_atfork(before, in_parent, in_child);
}

}  // namespace ultradict::os
