// SPDX-License-Identifier: Apache-2.0
#include "elsewhere.h"

#include "module.h"

namespace ultradict::python {

namespace {

constexpr const char* explanation =
    "the items of an UltraDict are in shared memory, not in the storage of its dict base: use d.to_dict()";

struct ElsewhereObject {
  PyObject_HEAD bool may_be_hashed;  // only while it is placed
};

PyObject* elsewhere_repr(PyObject*) { return PyUnicode_FromFormat("<%s>", explanation); }

Py_hash_t elsewhere_hash(PyObject* self) {
  if (reinterpret_cast<ElsewhereObject*>(self)->may_be_hashed) return 1;
  PyErr_SetString(PyExc_TypeError, explanation);
  return -1;
}

PyType_Slot elsewhere_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(refuse_new)},
    {Py_tp_repr, reinterpret_cast<void*>(elsewhere_repr)},
    {Py_tp_hash, reinterpret_cast<void*>(elsewhere_hash)},
    {0, nullptr},
};

}  // namespace

PyType_Spec elsewhere_spec = {"UltraDict._core.elsewhere", sizeof(ElsewhereObject), 0, Py_TPFLAGS_DEFAULT,
                              elsewhere_slots};

Ref make_elsewhere(PyTypeObject* type) {
  auto* made = PyObject_New(ElsewhereObject, type);
  if (made != nullptr) made->may_be_hashed = false;
  return Ref::steal(reinterpret_cast<PyObject*>(made));
}

bool place_elsewhere(PyObject* elsewhere, PyObject* dict) {
  auto* object = reinterpret_cast<ElsewhereObject*>(elsewhere);
  object->may_be_hashed = true;
  const int placed = PyDict_SetItem(dict, elsewhere, elsewhere);
  object->may_be_hashed = false;
  return placed == 0;
}

}  // namespace ultradict::python
