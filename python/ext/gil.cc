// SPDX-License-Identifier: Apache-2.0
#include <cxxabi.h>

#include <future>
#include <thread>

#include "ref.h"

namespace ultradict::python {

std::atomic<bool> interpreter_may_end{false};
static std::atomic<std::thread::id> ending_thread;

void note_interpreter_ends() noexcept {
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) return;
  ending_thread.store(std::this_thread::get_id());
  interpreter_may_end.store(true, std::memory_order_release);
}

// Who is taken for one that is unwound, but ends the interpreter, lets nothing go; no more than that.
bool is_interpreter_ended() noexcept {
#if PY_VERSION_HEX >= 0x030d0000
  const bool ended = Py_IsInitialized() == 0 || Py_IsFinalizing() != 0;
#else
  const bool ended = Py_IsInitialized() == 0 || _Py_IsFinalizing() != 0;
#endif
  return ended && std::this_thread::get_id() != ending_thread.load();
}

void stay() noexcept {
  HeldByThread::give_all_back();
  for (;;) std::promise<void>().get_future().wait();
}

void take_gil_back(PyThreadState* thread) noexcept {
  try {
    PyEval_RestoreThread(thread);
  } catch (const abi::__forced_unwind&) {
    stay();
  }
}

void let_go(PyObject* object) noexcept {
  try {
    Py_DECREF(object);
  } catch (const abi::__forced_unwind&) {
    stay();
  }
}

void let_go(Py_buffer* buffer) noexcept {
  try {
    PyBuffer_Release(buffer);
  } catch (const abi::__forced_unwind&) {
    stay();
  }
}

static int raise_forgiven(void* raised) {
  const Ref exception = Ref::steal(static_cast<PyObject*>(raised));
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
  return -1;
}

// Of the main interpreter: the first thread state there is, which is that of the main thread; of a child, that of the
// thread that forked.
static bool is_main_thread() noexcept {
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) return false;  // pending calls are the main one's
  PyThreadState* oldest = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
  while (PyThreadState* next = PyThreadState_Next(oldest)) oldest = next;
  return oldest == PyThreadState_Get();
}

static void forgive() {
  if (PyErr_Occurred() == nullptr) return;
  if (PyErr_ExceptionMatches(PyExc_Exception) != 0) return PyErr_Clear();
  Ref raised = take_raised();
  if (!is_main_thread()) {  // there only a class can be raised later
    (void)PyThreadState_SetAsyncExc(PyThread_get_thread_ident(), reinterpret_cast<PyObject*>(Py_TYPE(raised.get())));
  } else if (Py_AddPendingCall(raise_forgiven, raised.get()) == 0) {
    (void)raised.release();
  }
}

// What goes with an exception may run Python code.
void forgive_raised() noexcept {
  try {
    forgive();
  } catch (const abi::__forced_unwind&) {
    stay();
  }
}

}  // namespace ultradict::python
