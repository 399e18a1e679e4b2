// SPDX-License-Identifier: Apache-2.0
#include <cxxabi.h>

#include <future>

#include "ref.h"

namespace ultradict::python {

// When the interpreter has ended meanwhile, CPython before 3.14 ends a thread here that wants its lock back: the stack
// is unwound, and destructors would touch objects that are gone. Such a thread stays where it is, as from 3.14 on,
// until the process ends.
void take_gil_back(PyThreadState* thread) noexcept {
  try {
    PyEval_RestoreThread(thread);
  } catch (const abi::__forced_unwind&) {
    std::promise<void>().get_future().wait();
  }
}

}  // namespace ultradict::python
