// SPDX-License-Identifier: Apache-2.0
// The hook of test builds: told of every store to shared memory just after it was done, so that a test can end the
// process between any two. Only tests define it (ULTRADICT_RECORD_STORES).
#pragma once

#include <cstddef>

namespace ultradict::shared {

void record_store(const void* address, std::size_t size);

}  // namespace ultradict::shared
