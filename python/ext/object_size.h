// SPDX-License-Identifier: Apache-2.0
// About how much memory decoded objects take, for the bound of the cache.
#pragma once

#include <cstdint>

#include "ref.h"

namespace ultradict::python {

// Bytes of a key and its value (null: 0) and of what they hold; `encoded_size` is that of both. Plain data are reckoned
// as CPython keeps them, by some of the items where there are many, and never below their encoding; of anything else
// that is the measure. Runs no Python code.
std::uint64_t objects_size(PyObject* key, PyObject* value, std::uint64_t encoded_size) noexcept;

}  // namespace ultradict::python
