// SPDX-License-Identifier: Apache-2.0
// The iterator over an UltraDict and its views, and the type that makes it known to Python.
#pragma once

#include "dict_object.h"
#include "walk.h"

namespace ultradict::python {

PyObject* make_iterator(PyObject* dict, Part part, Cursor::Direction direction);

extern PyType_Spec iterator_spec;

// dict.__iter__ and dict.__reversed__
PyObject* dict_iter(PyObject* self);
PyObject* dict_reversed(PyObject* self, PyObject* none);

}  // namespace ultradict::python
