// SPDX-License-Identifier: Apache-2.0
// The writing half of the mapping: slots and methods of UltraDict that change one key or all.
#pragma once

#include "dict_object.h"

namespace ultradict::python {

// --- one key ---
int dict_assign(PyObject* self, PyObject* key, PyObject* value);  // value null: delete
PyObject* dict_setdefault(PyObject* self, PyObject* const* arguments, Py_ssize_t count);
PyObject* dict_pop(PyObject* self, PyObject* const* arguments, Py_ssize_t count);
PyObject* dict_popitem(PyObject* self, PyObject* none);

// --- many keys ---
PyObject* dict_update(PyObject* self, PyObject* arguments, PyObject* keywords);
PyObject* dict_inplace_or(PyObject* self, PyObject* other);
PyObject* dict_clear(PyObject* self, PyObject* none);

}  // namespace ultradict::python
