// SPDX-License-Identifier: Apache-2.0
// Pickles, for whatever has no typed encoding. The module pickle is imported by the first one.
#pragma once

#include "convert.h"

namespace ultradict::python {

// Appends Tag::pickle and the pickle (protocol 5) of `object`.
bool write_pickle(ConvertState& state, PyObject* object, Scratch* out);

// What the pickle holds; a new reference.
PyObject* read_pickle(ConvertState& state, Bytes pickle);

}  // namespace ultradict::python
