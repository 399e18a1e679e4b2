// SPDX-License-Identifier: Apache-2.0
// The reading half of the mapping: slots and methods of UltraDict that change nothing.
#pragma once

#include "dict_object.h"

namespace ultradict::python {

// --- slots ---
PyObject* dict_subscript(PyObject* self, PyObject* key);
int dict_contains(PyObject* self, PyObject* key);
Py_ssize_t dict_length(PyObject* self);

// --- methods ---
PyObject* dict_get(PyObject* self, PyObject* const* arguments, Py_ssize_t count);
PyObject* dict_has_key(PyObject* self, PyObject* key);

// Of the arguments of a method; false with what dict raises.
inline bool check_count(const char* name, Py_ssize_t count, Py_ssize_t least, Py_ssize_t most) {
  if (count >= least && count <= most) return true;
  const bool few = count < least;
  PyErr_Format(PyExc_TypeError, "%s expected at %s %zd argument%s, got %zd", name, few ? "least" : "most",
               few ? least : most, (few ? least : most) == 1 ? "" : "s", count);
  return false;
}

}  // namespace ultradict::python
