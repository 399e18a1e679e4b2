// SPDX-License-Identifier: Apache-2.0
// What treats an UltraDict as a whole: copies, comparison, repr, the | operator.
#pragma once

#include "dict_object.h"

namespace ultradict::python {

// Every item, in order, in a new plain dict; nested dicts as handles.
Ref plain_copy(PyObject* self);
// The same, into an exact dict that is there.
bool copy_items(PyObject* self, PyObject* plain);
// The items of any mapping into an exact dict. A shared one is iterated: who asks it for its keys first, and for each
// value then, fails if another process deletes one in between.
bool add_items(PyObject* plain, PyObject* source, const ModuleState* module);

PyObject* dict_copy(PyObject* self, PyObject* none);
PyObject* dict_to_dict(PyObject* self, PyObject* none);
PyObject* dict_repr(PyObject* self);
PyObject* dict_compare(PyObject* self, PyObject* other, int operation);
PyObject* dict_or(PyObject* left, PyObject* right);
PyObject* dict_sizeof(PyObject* self, PyObject* none);

}  // namespace ultradict::python
