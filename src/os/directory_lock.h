// SPDX-License-Identifier: Apache-2.0
// The lock of a directory of dicts: who removes a name, or makes the token file, does it alone.
#pragma once

#include <string>

#include "base/fault.h"
#include "os/unforked_file.h"

namespace ultradict::os {

// Held until `lock` is closed, however many children this process forks meanwhile.
Fault lock_directory(const std::string& path, UnforkedFile* lock);

}  // namespace ultradict::os
