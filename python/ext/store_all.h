// SPDX-License-Identifier: Apache-2.0
// Storing many keys at once: all of them or none.
#pragma once

#include "session.h"

namespace ultradict::python {

// `items` is an exact dict that nobody else changes.
bool store_all(Session* session, PyObject* items);

}  // namespace ultradict::python
