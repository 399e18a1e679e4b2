// SPDX-License-Identifier: Apache-2.0
#include "os/file_lock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "os/futex.h"

namespace ultradict::os {

namespace {

constexpr Size page = 4096;
constexpr std::int64_t wait_max_ns = 5'000'000'000;

struct flock lock_of(Size byte, LockKind kind) {
  struct flock lock {};
  lock.l_type = kind == LockKind::shared ? F_RDLCK : F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(byte);
  lock.l_len = 1;
  return lock;
}

Fault lock_fault() {
  if (errno == EAGAIN || errno == EACCES) return Fault::of(Code::lock_busy);
  if (errno == EINVAL || errno == ENOSYS) {
    return Fault{Code::unsupported, errno, "open file description locks (Linux 3.15 or later) are needed", 0, 0};
  }
  return system_fault("lock a byte of a file");
}

}  // namespace

Fault try_lock_byte(UnforkedFile& file, Size byte, LockKind kind) {
  struct flock lock = lock_of(byte, kind);
  const File& opened = file;
  if (::fcntl(opened.descriptor(), F_OFD_SETLK, &lock) != 0) return lock_fault();
  file.note_lock();
  return {};
}

void unlock_bytes(const File& file) {
  struct flock all {};  // of the length 0: to the end
  all.l_type = F_UNLCK;
  all.l_whence = SEEK_SET;
  (void)::fcntl(file.descriptor(), F_OFD_SETLK, &all);
}

Fault lock_byte(UnforkedFile& file, Size byte, LockKind kind) {
  // By the clock: a signal ends a pause early.
  for (const std::int64_t begin = monotonic_ns(); monotonic_ns() - begin < wait_max_ns; pause_ns(1'000'000)) {
    const Fault fault = try_lock_byte(file, byte, kind);
    if (fault.code != Code::lock_busy) return fault;
  }
  return Fault::of(Code::lock_timeout);
}

Fault is_locked(const File& file, Size byte, LockKind kind, bool* locked) {
  struct flock lock = lock_of(byte, kind);
  if (::fcntl(file.descriptor(), F_OFD_GETLK, &lock) != 0) return lock_fault();
  *locked = lock.l_type != F_UNLCK;
  return {};
}

bool HeldByte::descriptor_needed = false;

namespace {

// A fork between the two calls would leave the mapping to the child.
Fault map_for_this_process(const File& file, char** mapped) {
  const NoFork guard;
  if (Fault fault = map(file, page, mapped)) return fault;
  if (::madvise(*mapped, page, MADV_DONTFORK) == 0) return {};
  const Fault fault = system_fault("keep a mapping from children");
  unmap(*mapped, page);
  return fault;
}

}  // namespace

Fault HeldByte::keep(UnforkedFile file, bool inherited) {
  char* mapped = nullptr;
  if (Fault fault = inherited ? map(file, page, &mapped) : map_for_this_process(file, &mapped)) return fault;
  page_ = mapped;
  if (!descriptor_needed) {
    file.close_keeping_locks();
  } else if (inherited) {
    inherited_file_ = file.take();
  } else {
    file_ = std::move(file);
  }
  return {};
}

void HeldByte::release() {
  unmap(page_, page);
  page_ = nullptr;
  file_.close();
  inherited_file_.close();
}

void HeldByte::forget() {
  page_ = nullptr;
  file_.close_keeping_locks();
}

}  // namespace ultradict::os
