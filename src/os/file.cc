// SPDX-License-Identifier: Apache-2.0
#include "os/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ultradict::os {

namespace {

constexpr Size allocation_part_min = 64 * 1024;

}  // namespace

void File::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

namespace {

// Whatever the umask made of it.
Fault set_mode(const File& created, unsigned mode) {
  if (mode != 0600 && ::fchmod(created.descriptor(), mode) != 0) return system_fault("set a file's mode");
  struct stat status {};
  if (::fstat(created.descriptor(), &status) != 0) return system_fault("look at a new file");
  if ((status.st_mode & 07777) != mode && ::fchmod(created.descriptor(), mode) != 0)
    return system_fault("set a file's mode");
  return {};
}

}  // namespace

Fault create_file(const char* path, unsigned mode, File* file) {
  File created(::open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!created) return system_fault("create a file");
  if (Fault fault = set_mode(created, mode)) {
    remove_file(path);
    return fault;
  }
  *file = std::move(created);
  return {};
}

Fault open_file(const char* path, File* file) {
  // O_NONBLOCK: a FIFO in the file's place must not block us.
  File opened(::open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!opened) return system_fault("open a file");
  struct stat status {};
  if (::fstat(opened.descriptor(), &status) != 0) return system_fault("look at a file");
  if (!S_ISREG(status.st_mode)) return Fault::damaged("something that is no regular file stands in a file's place");
  *file = std::move(opened);
  return {};
}

Fault check_owner(const File& file) {
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) return system_fault("look at a file");
  if (status.st_uid == ::geteuid()) return {};
  return Fault{Code::forbidden, 0, "the file belongs to another user", status.st_uid, ::geteuid()};
}

Fault file_size(const char* path, Size* size) {
  struct stat status {};
  if (::lstat(path, &status) != 0) return system_fault("ask for a file's size");
  *size = static_cast<Size>(status.st_size);
  return {};
}

Fault file_size(const File& file, Size* size) {
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) return system_fault("ask for a file's size");
  *size = static_cast<Size>(status.st_size);
  return {};
}

Fault file_identity(const File& file, Size* identity) {
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) return system_fault("ask for a file's identity");
  *identity = status.st_ino;
  return {};
}

Size free_space(const char* directory) {
  struct statvfs system {};
  if (::statvfs(directory, &system) != 0 || system.f_blocks == 0) return ~Size{0};
  return Size{system.f_bavail} * system.f_frsize;
}

// Going over it would end the process by SIGXFSZ, so it is asked first.
Fault check_size_limit(Size size) {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur) return {};
  return Fault{Code::memory_full, EFBIG, "a file beyond RLIMIT_FSIZE", size, 0};
}

namespace {

// Kernels before 6.17 give up a tmpfs allocation, and take back all of it, whenever a signal arrives: one that takes
// longer than the signals are apart would never end. So a part that was interrupted is tried in smaller ones.
int allocate_in_parts(int descriptor, Size offset, Size size) {
  Size part = size;
  for (const Size end = offset + size; offset < end;) {
    part = std::min(part, end - offset);
    if (::fallocate(descriptor, 0, static_cast<off_t>(offset), static_cast<off_t>(part)) == 0) {
      offset += part;
    } else if (errno != EINTR) {
      return -1;
    } else {
      part = std::max(part / 2 / allocation_part_min, Size{1}) * allocation_part_min;
    }
  }
  return 0;
}

}  // namespace

Fault allocate(const File& file, Size offset, Size size) {
  if (offset + size < size) return Fault{Code::memory_full, EFBIG, "allocate memory beyond any file", offset, size};
  if (Fault fault = check_size_limit(offset + size)) return fault;
  Size before = 0;
  if (Fault fault = file_size(file, &before)) return fault;
  if (allocate_in_parts(file.descriptor(), offset, size) == 0) return {};
  const Fault fault = system_fault("allocate shared memory");
  Size after = 0;
  if (!file_size(file, &after) && after > before) (void)::ftruncate(file.descriptor(), static_cast<off_t>(before));
  return fault;
}

Fault truncate(const File& file, Size size) {
  Size before = 0;
  if (Fault fault = file_size(file, &before)) return fault;
  // A file that is larger than the limit may be shortened to any size.
  if (Fault fault = check_size_limit(size); fault && size > before) return fault;
  return ::ftruncate(file.descriptor(), static_cast<off_t>(size)) == 0 ? Fault::none()
                                                                       : system_fault("shorten shared memory");
}

Fault map(const File& file, Size size, char** base) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor(), 0);
  if (address == MAP_FAILED) return system_fault("map shared memory");
  *base = static_cast<char*>(address);
  return {};
}

Fault map_read_only(const File& file, Size size, const char** base) {
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (address == MAP_FAILED) return system_fault("map shared memory");
  *base = static_cast<const char*>(address);
  return {};
}

Fault map_over(const File& file, Size size, char* base) {
  void* address = ::mmap(base, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file.descriptor(), 0);
  return address == base ? Fault::none() : system_fault("map shared memory anew");
}

void populate([[maybe_unused]] char* base, [[maybe_unused]] Size size) {
#ifdef MADV_POPULATE_WRITE
  ::madvise(base, size, MADV_POPULATE_WRITE);
#endif
}

void unmap(char* base, Size size) {
  if (base) ::munmap(base, size);
}

Fault read_at(const File& file, Size offset, char* destination, Size size) {
  while (size > 0) {
    const ssize_t count = ::pread(file.descriptor(), destination, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_fault("read a file");
    if (count == 0) return Fault::damaged("a file is shorter than what is recorded of it", offset, offset + size);
    offset += static_cast<Size>(count);
    destination += count;
    size -= static_cast<Size>(count);
  }
  return {};
}

Fault write_at(const File& file, Size offset, const char* source, Size size) {
  if (Fault fault = check_size_limit(offset + size)) return fault;
  while (size > 0) {
    const ssize_t count = ::pwrite(file.descriptor(), source, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_fault("write shared memory");
    offset += static_cast<Size>(count);
    source += count;
    size -= static_cast<Size>(count);
  }
  return {};
}

void remove_file(const char* path) { ::unlink(path); }

Fault rename_file(const char* from, const char* to) {
  return ::rename(from, to) == 0 ? Fault::none() : system_fault("rename a file");
}

}  // namespace ultradict::os
