// SPDX-License-Identifier: Apache-2.0
// What the kernel says and gives that is of no file: its errors, its random numbers, its threads.
#pragma once

#include <cstdint>

#include "base/fault.h"

namespace ultradict::os {

using Size = std::uint64_t;

// The error of the last system call as a Fault: full memory, permission and absence have codes of their own.
Fault system_fault(const char* what);

// 16 random bytes from the kernel, and more.
Fault random_bytes(void* destination, Size size);

// Of the calling thread; and whether this process has a thread of that id, which a new one may have by now.
std::int32_t thread_id();
bool thread_exists(std::int32_t id);

}  // namespace ultradict::os
