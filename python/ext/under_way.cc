// SPDX-License-Identifier: Apache-2.0
#include "under_way.h"

namespace ultradict::python {

namespace {

// Those that other handlers of fork have started in the child are there, too.
bool is_there(std::uint64_t thread) noexcept {
  PyThreadState* each = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
  while (each != nullptr && PyThreadState_GetID(each) != thread) each = PyThreadState_Next(each);
  return each != nullptr;
}

}  // namespace

// What is still listed stays: of a thread that is unwound, nobody knows when.
UnderWay::~UnderWay() {
  while (spare_ != nullptr) delete std::exchange(spare_, spare_->next);
}

void UnderWay::end_those_of_missing_threads() noexcept {
  for (Entry* each = newest_; each != nullptr;) {
    if (is_there(each->thread)) {
      each = each->next;
      continue;
    }
    Session* const session = each->session;
    const End end = each->end;
    leave(each);
    end(session);
    each = newest_;  // Python code may have run
  }
}

}  // namespace ultradict::python
