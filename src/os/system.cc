// SPDX-License-Identifier: Apache-2.0
#include "os/system.h"

#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ultradict::os {

Fault system_fault(const char* what) {
  const int error = errno;
  Code code = Code::os_error;
  if (error == ENOSPC || error == ENOMEM || error == EDQUOT || error == EFBIG) code = Code::memory_full;
  if (error == EACCES || error == EPERM || error == EROFS) code = Code::forbidden;
  if (error == ENOENT) code = Code::not_found;
  if (error == EEXIST) code = Code::already_exists;
  return Fault{code, error, what, code == Code::forbidden ? ::geteuid() : 0, 0};
}

Fault random_bytes(void* destination, Size size) {
  auto* to = static_cast<char*>(destination);
  while (size > 0) {
    const ssize_t count = ::getrandom(to, std::min<Size>(size, 256), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_fault("ask for random bytes");
    to += count;
    size -= static_cast<Size>(count);
  }
  return {};
}

std::int32_t thread_id() { return static_cast<std::int32_t>(::syscall(SYS_gettid)); }

bool thread_exists(std::int32_t id) { return ::syscall(SYS_tgkill, ::getpid(), id, 0) == 0 || errno != ESRCH; }

}  // namespace ultradict::os
