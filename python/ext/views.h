// SPDX-License-Identifier: Apache-2.0
// The live views d.keys(), d.values(), d.items(): they hold the dict and nothing else.
#pragma once

#include "dict_object.h"
#include "walk.h"

namespace ultradict::python {

struct ViewObject {
  PyObject_HEAD PyObject* dict;
};

inline PyObject* dict_of_view(PyObject* view) noexcept { return reinterpret_cast<ViewObject*>(view)->dict; }

extern PyType_Spec keys_spec;
extern PyType_Spec values_spec;
extern PyType_Spec items_spec;

// What it is a view of; the object must be one.
Part part_of_view(PyObject* view);
// A view of keys or items: it behaves as a set.
bool is_set_view(const ModuleState* module, PyObject* object);

// dict.keys(), dict.values(), dict.items()
PyObject* dict_keys(PyObject* self, PyObject* none);
PyObject* dict_values(PyObject* self, PyObject* none);
PyObject* dict_items(PyObject* self, PyObject* none);

// Slots of the set-like views (view_sets.cc).
PyObject* view_compare(PyObject* self, PyObject* other, int operation);
PyObject* view_and(PyObject* left, PyObject* right);
PyObject* view_or(PyObject* left, PyObject* right);
PyObject* view_xor(PyObject* left, PyObject* right);
PyObject* view_subtract(PyObject* left, PyObject* right);
PyObject* view_is_disjoint(PyObject* self, PyObject* other);

}  // namespace ultradict::python
