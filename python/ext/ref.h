// SPDX-License-Identifier: Apache-2.0
// Ownership of Python objects and of the interpreter lock, by scope. Everything else in the extension that is not a
// `Ref` is a borrowed pointer.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <atomic>
#include <cstddef>
#include <utility>

namespace ultradict::python {

// Before 3.14 CPython ends a thread that asks for the interpreter lock when the interpreter has ended, in whatever call
// that is, by unwinding its stack. Destructors that run then must not touch what is Python's: what they own stays.
extern std::atomic<bool> interpreter_may_end;
void note_interpreter_ends() noexcept;  // by the thread that ends it
bool is_interpreter_ended() noexcept;   // for this thread
[[gnu::always_inline]] inline bool is_unwound() noexcept {
  return interpreter_may_end.load(std::memory_order_acquire) && is_interpreter_ended();
}

// What other processes would wait for, of a thread that neither ends nor goes on: it gives that back.
class HeldByThread {
 public:
  HeldByThread(const HeldByThread&) = delete;
  HeldByThread& operator=(const HeldByThread&) = delete;
  static void give_all_back() noexcept {
    for (HeldByThread* each = innermost; each != nullptr; each = each->outer_) each->give_back();
  }

 protected:
  HeldByThread() noexcept : outer_(std::exchange(innermost, this)) {}
  ~HeldByThread() { innermost = outer_; }

 private:
  virtual void give_back() noexcept = 0;

  static inline constinit thread_local HeldByThread* innermost __attribute__((tls_model("initial-exec"))) = nullptr;
  HeldByThread* outer_;
};

// Where a thread may be unwound and must not be, it stays until the process ends, as from 3.14 on.
[[noreturn]] void stay() noexcept;
void take_gil_back(PyThreadState* thread) noexcept;
void let_go(PyObject* object) noexcept;   // may run Python code
void let_go(Py_buffer* buffer) noexcept;  // likewise

// Owns one reference, or nothing. All operations need the interpreter (an attached thread state).
class Ref {
 public:
  Ref() noexcept = default;
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    Ref old(std::exchange(object_, std::exchange(other.object_, nullptr)));
    return *this;
  }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  ~Ref() {
    if (object_ != nullptr && !is_unwound()) drop(object_);
  }

  // A new reference as an API call returns it; null stands for a raised exception.
  static Ref steal(PyObject* object) noexcept { return Ref(object); }
  // One more reference to what somebody else owns.
  static Ref share(PyObject* object) noexcept {
    Py_XINCREF(object);
    return Ref(object);
  }

  PyObject* get() const noexcept { return object_; }
  PyObject* release() noexcept { return std::exchange(object_, nullptr); }
  Ref copy() const noexcept { return share(object_); }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  explicit Ref(PyObject* object) noexcept : object_(object) {}
  static void drop(PyObject* object) noexcept {
    if (Py_REFCNT(object) == 1) return let_go(object);
    Py_DECREF(object);
  }

  PyObject* object_ = nullptr;
};

// Makes the dict if there is none. That may run Python code, which may have it made first.
inline bool ensure_dict(Ref* dict) {
  if (*dict) return true;
  Ref made = Ref::steal(PyDict_New());
  if (!made) return false;
  if (!*dict) *dict = std::move(made);
  return true;
}

// A reference that is filled when first needed and then kept: threads may race to fill it, one of them wins.
class LazyRef {
 public:
  LazyRef() noexcept = default;
  LazyRef(const LazyRef&) = delete;
  LazyRef& operator=(const LazyRef&) = delete;
  ~LazyRef() { clear(); }

  PyObject* get() const noexcept { return object_.load(std::memory_order_acquire); }
  // Keeps `object` unless another thread was faster; returns what is kept from now on.
  PyObject* fill(Ref object) noexcept {
    PyObject* expected = nullptr;
    if (!object_.compare_exchange_strong(expected, object.get(), std::memory_order_acq_rel)) return expected;
    return object.release();
  }
  void clear() noexcept { Py_XDECREF(object_.exchange(nullptr, std::memory_order_acq_rel)); }

 private:
  std::atomic<PyObject*> object_{nullptr};
};

// Larger copies, in bytes, are made without the interpreter lock.
inline constexpr std::size_t copy_with_gil_size_max = 1 << 20;

// Lets other Python threads run for a scope; nothing of Python may be touched in it.
class GilReleased {
 public:
  GilReleased() noexcept : thread_(PyEval_SaveThread()) {}
  ~GilReleased() { take_gil_back(thread_); }
  GilReleased(const GilReleased&) = delete;
  GilReleased& operator=(const GilReleased&) = delete;

 private:
  PyThreadState* thread_;
};

// The exception object that is being raised, which no longer is; with its traceback.
inline Ref take_raised() {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback != nullptr) (void)PyException_SetTraceback(value, traceback);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  return Ref::steal(value);
}

// Raises an exception object as it is: the one that is being handled does not become its context.
inline void raise_again(PyObject* raised) noexcept {
  PyErr_Restore(Ref::share(reinterpret_cast<PyObject*>(Py_TYPE(raised))).release(), Ref::share(raised).release(),
                PyException_GetTraceback(raised));
}

// An exception in what is done for speed alone, or after a change was made, is forgotten. But what is no Exception,
// such as a KeyboardInterrupt, is raised in this thread as soon as it is back in Python.
void forgive_raised() noexcept;

// The exception being raised, set aside for a scope in which Python code runs; raised again at its end.
class RaisedKept {
 public:
  RaisedKept() noexcept { PyErr_Fetch(&type_, &value_, &traceback_); }
  ~RaisedKept() {
    if (!is_unwound()) PyErr_Restore(type_, value_, traceback_);
  }
  bool is_a(PyObject* error) const noexcept { return PyErr_GivenExceptionMatches(type_, error) != 0; }
  // The exception no longer matters.
  void forget() noexcept {
    for (PyObject** each : {&type_, &value_, &traceback_}) {
      if (*each != nullptr) let_go(std::exchange(*each, nullptr));
    }
  }
  RaisedKept(const RaisedKept&) = delete;
  RaisedKept& operator=(const RaisedKept&) = delete;

 private:
  PyObject* type_ = nullptr;
  PyObject* value_ = nullptr;
  PyObject* traceback_ = nullptr;
};

}  // namespace ultradict::python
