// SPDX-License-Identifier: Apache-2.0
// The type SharedDict, base of the class UltraDict: a subclass of dict whose every slot and method is replaced.
#pragma once

#include "dict_object.h"

namespace ultradict::python {

extern PyType_Spec dict_spec;

// bind_methods(class): gives a subclass the methods as its own, which CPython calls faster on its instances. A function
// of the module.
PyObject* bind_methods(PyObject* module, PyObject* type);

}  // namespace ultradict::python
