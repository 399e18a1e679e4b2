// SPDX-License-Identifier: Apache-2.0
#include "os/directory_lock.h"

#include "os/file_lock.h"
#include "os/text.h"

namespace ultradict::os {

Fault lock_directory(const std::string& path, File* lock) {
  const Path lock_path(path, "lock");
  Fault fault = open_file(lock_path, lock);
  if (fault.code == Code::not_found) {
    fault = create_file(lock_path, 0600, lock);
    if (fault.code == Code::already_exists) fault = open_file(lock_path, lock);
  }
  return fault ? fault : lock_byte(*lock, 0, LockKind::exclusive);
}

}  // namespace ultradict::os
