// SPDX-License-Identifier: Apache-2.0
#include "os/fork.h"

#include <pthread.h>

#include <atomic>

#include "os/unforked_file.h"

namespace ultradict::os {

namespace {

std::atomic<int> failed = 0;  // errno, of any of them

}  // namespace

void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) {
  UnforkedFile::prepare_for_forks();  // their mutex is locked while others are held
  at_fork_first(before, in_parent, in_child);
}

void at_fork_first(void (*before)(), void (*in_parent)(), void (*in_child)()) {
  if (const int error = ::pthread_atfork(before, in_parent, in_child)) failed = error;
}

Fault check_fork_handlers() {
  return failed == 0 ? Fault::none() : Fault{Code::memory_full, failed, "set the handlers of fork", 0, 0};
}

}  // namespace ultradict::os
