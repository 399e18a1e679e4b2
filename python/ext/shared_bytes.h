// SPDX-License-Identifier: Apache-2.0
// SharedBytes: the object behind a view: a large value in shared memory, mapped for reading, with the buffer protocol.
// It needs neither the dict nor its handle; the mapping ends with the last view.
#pragma once

#include <cstdint>
#include <memory>

#include "module.h"
#include "ultradict/large_value.h"

namespace ultradict::python {

// Bytes of large values that one handle has mapped and that are still there. Outlives the handle.
using PinnedBytes = std::shared_ptr<std::uint64_t>;

// A new reference; `part` lies in the value and is what views show.
PyObject* make_shared_bytes(const ModuleState* module, MappedValue value, Bytes part, PinnedBytes pinned);

extern PyType_Spec shared_bytes_spec;

}  // namespace ultradict::python
