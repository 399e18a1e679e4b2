// SPDX-License-Identifier: Apache-2.0
// Storing many keys at once: all of them or none.
#pragma once

#include "lookup.h"

namespace ultradict::python {

// `items` is an exact dict that nobody else changes.
bool store_all(Session* session, PyObject* items);
// The same of an exact dict that is the caller's, if all of it is plain scalars: it is not copied first. no: it is not
// so simple, and nothing was done.
Answer store_scalars(Session* session, PyObject* source);

}  // namespace ultradict::python
