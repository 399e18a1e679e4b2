// SPDX-License-Identifier: Apache-2.0
// What conversions keep per module: imported names and exception classes, and their part in garbage collection.
#include "convert.h"

namespace ultradict::python {

PyObject* ConvertState::imported(LazyRef* kept, const char* module, const char* name) {
  if (PyObject* object = kept->get()) return object;
  Ref imported = Ref::steal(PyImport_ImportModule(module));
  if (!imported) return nullptr;
  Ref attribute = Ref::steal(PyObject_GetAttrString(imported.get(), name));
  return attribute ? kept->fill(std::move(attribute)) : nullptr;
}

PyObject* ConvertState::raise_damaged(const char* message) const {
  PyErr_SetString(damaged_error ? damaged_error.get() : PyExc_ValueError, message);
  return nullptr;
}

PyObject* ConvertState::raise_forbidden(const char* message) const {
  PyErr_SetString(forbidden_error ? forbidden_error.get() : PyExc_PermissionError, message);
  return nullptr;
}

PyObject* ConvertState::raise_pickled_value() const {
  return raise_forbidden("the value is stored as a pickle, which allow_pickle=False refuses to load");
}

int ConvertState::traverse(visitproc visit, void* arg) const {
  Py_VISIT(damaged_error.get());
  Py_VISIT(forbidden_error.get());
  Py_VISIT(mismatch_error.get());
  Py_VISIT(pickle_dumps.get());
  Py_VISIT(pickle_loads.get());
  Py_VISIT(pickle_error.get());
  Py_VISIT(number_class.get());
  Py_VISIT(complex_class.get());
  Py_VISIT(real_class.get());
  Py_VISIT(rational_class.get());
  Py_VISIT(urandom.get());
  return 0;
}

void ConvertState::clear() {
  damaged_error = Ref();
  forbidden_error = Ref();
  mismatch_error = Ref();
  pickle_dumps.clear();
  pickle_loads.clear();
  pickle_error.clear();
  number_class.clear();
  complex_class.clear();
  real_class.clear();
  rational_class.clear();
  urandom.clear();
}

}  // namespace ultradict::python
