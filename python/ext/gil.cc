// SPDX-License-Identifier: Apache-2.0
#include <cxxabi.h>

#include <future>
#include <thread>

#include "ref.h"

namespace ultradict::python {

std::atomic<bool> interpreter_may_end{false};
static std::thread::id ending_thread;

void note_interpreter_ends() noexcept {
  ending_thread = std::this_thread::get_id();
  interpreter_may_end.store(true, std::memory_order_release);
}

static void stay() { std::promise<void>().get_future().wait(); }

void take_gil_back(PyThreadState* thread) noexcept {
  try {
    PyEval_RestoreThread(thread);
  } catch (const abi::__forced_unwind&) {
    stay();
  }
}

void stay_if_interpreter_ended() noexcept {
  if (Py_IsInitialized() == 0 && std::this_thread::get_id() != ending_thread) stay();
}

void forgive_raised() noexcept {
  if (PyErr_Occurred() == nullptr) return;
  if (PyErr_ExceptionMatches(PyExc_Exception) == 0) {
    (void)PyThreadState_SetAsyncExc(PyThread_get_thread_ident(), PyErr_Occurred());
  }
  PyErr_Clear();
}

}  // namespace ultradict::python
