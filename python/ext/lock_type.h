// SPDX-License-Identifier: Apache-2.0
// SharedLock, what `d.lock` returns: one object per handle, owned by it. It owns the session and not the dict: a lock
// kept by somebody keeps the handle open, and dict and lock form no cycle.
#pragma once

#include "locking.h"

namespace ultradict::python {

struct LockObject {
  PyObject_HEAD Session* session;
  PyObject* dict_type;  // the class of its dict, for pickle
};

inline LockObject* lock_object(PyObject* object) noexcept { return reinterpret_cast<LockObject*>(object); }

PyObject* make_lock(Session* session, PyTypeObject* dict_type);

// The open session of a lock; null with AlreadyClosed.
Session* session_of_lock(PyObject* self);

// The parameters of one acquisition. `words` are their names in the order in which they may be given without name.
struct LockParameters {
  LockTerms terms;
  bool parse(const char* const* words, PyObject* arguments, PyObject* keywords);
};

extern const char* const call_words[];

extern PyType_Spec lock_spec;
extern PyType_Spec lock_request_spec;

// lock(...): a context manager for one acquisition with these parameters.
PyObject* lock_call(PyObject* self, PyObject* arguments, PyObject* keywords);

// --- methods that deal with a lock held elsewhere (lock_care.cc) ---
PyObject* lock_steal(PyObject* self, PyObject* arguments, PyObject* keywords);
PyObject* lock_steal_from_dead(PyObject* self, PyObject* arguments, PyObject* keywords);
PyObject* lock_reset(PyObject* self, PyObject* none);
PyObject* lock_status(PyObject* self, PyObject* none);
PyObject* lock_print_status(PyObject* self, PyObject* arguments, PyObject* keywords);
PyObject* lock_get_pid(PyObject* self, void* none);
PyObject* lock_get_remote_pid(PyObject* self, PyObject* none);
PyObject* lock_get_remote_lock(PyObject* self, PyObject* none);

}  // namespace ultradict::python
