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
  if (!fault) fault = lock_byte(*lock, 0, LockKind::exclusive);
  if (fault.code != Code::lock_timeout) return fault;
  return Fault::of(Code::lock_timeout, "a process holds the lock of the directory of dicts for seconds");
}

}  // namespace ultradict::os
