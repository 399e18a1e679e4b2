// SPDX-License-Identifier: Apache-2.0
// About how much memory a decoded object takes, for the bound of the cache.
#pragma once

#include <cstdint>

#include "ref.h"

namespace ultradict::python {

// Bytes of the object and of what it holds, as far as these are plain data (of long containers the first items stand
// for all); of anything else it is reckoned from `encoded_size`, that of the whole. Null: 0. Runs no Python code.
std::uint64_t object_size(PyObject* object, std::uint64_t encoded_size) noexcept;

}  // namespace ultradict::python
