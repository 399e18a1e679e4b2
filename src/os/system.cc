// SPDX-License-Identifier: Apache-2.0
#include "os/system.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "os/text.h"

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

namespace {

// A main thread that ended before the others stays behind, as what the kernel calls a zombie, and takes signals.
bool is_zombie(std::int32_t id) {
  char text[128];  // "id (name) state ...", with a name of at most 15 bytes, whatever they are
  const int file = ::open(Text<64>("/proc/self/task/%d/stat", id), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t size = ::read(file, text, sizeof text);
  ::close(file);
  const std::string_view read(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t name_end = read.rfind(") ");
  return name_end != read.npos && read.substr(name_end + 2).starts_with('Z');
}

}  // namespace

bool thread_exists(std::int32_t id) {
  if (::syscall(SYS_tgkill, ::getpid(), id, 0) != 0) return errno != ESRCH;
  return id != ::getpid() || !is_zombie(id);
}

}  // namespace ultradict::os
