// SPDX-License-Identifier: Apache-2.0
#include "os/directory_lock.h"

#include "os/file_lock.h"
#include "os/text.h"

namespace ultradict::os {

Fault lock_directory(const std::string& path, UnforkedFile* lock) {
  const Path lock_path(path, "lock");
  Fault fault = lock->open(lock_path);
  if (fault.code == Code::not_found) {
    fault = lock->create(lock_path, 0600);
    if (fault.code == Code::already_exists) fault = lock->open(lock_path);
  }
  return fault ? fault : lock_byte(*lock, 0, LockKind::exclusive);
}

}  // namespace ultradict::os
