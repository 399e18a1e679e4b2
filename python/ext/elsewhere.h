// SPDX-License-Identifier: Apache-2.0
// Elsewhere: the one entry in the storage of the `dict` base of every UltraDict. C code that reads that storage itself
// (PyDict_Next, orjson) finds a key that is no str, explains itself in its repr and refuses to become a key of another
// dict: such code raises instead of seeing nothing.
#pragma once

#include "ref.h"

namespace ultradict::python {

extern PyType_Spec elsewhere_spec;

// A new one of that type.
Ref make_elsewhere(PyTypeObject* type);
// Puts it into the storage of a dict.
bool place_elsewhere(PyObject* elsewhere, PyObject* dict);

}  // namespace ultradict::python
