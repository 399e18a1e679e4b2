// SPDX-License-Identifier: Apache-2.0
// Pickles, for whatever has no typed encoding. The module pickle is imported by the first one.
#pragma once

#include "convert.h"

namespace ultradict::python {

// Sets `out` to Tag::pickle and the pickle (protocol 5) of `object`, or to Tag::pickle_with_buffers and what belongs to
// it.
bool write_pickle(ConvertState& state, PyObject* object, Encoded* out);
// Appends Tag::pickle and the pickle of `object`, all in one piece.
bool write_whole_pickle(ConvertState& state, PyObject* object, Scratch* out);
// Adds a `bytes` that some dumps has made.
bool add_dumped(PyObject* dumped, Encoded* out);

// What the pickle holds; a new reference.
PyObject* read_pickle(ConvertState& state, Bytes pickle);

// Unpickles with these buffers, a tuple.
PyObject* load_with_buffers(ConvertState& state, PyObject* pickle, PyObject* buffers);
// With private copies of the buffers, which may be changed.
PyObject* read_pickle_with_buffers(ConvertState& state, Bytes value);

}  // namespace ultradict::python
