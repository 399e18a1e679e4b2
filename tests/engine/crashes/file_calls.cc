// SPDX-License-Identifier: Apache-2.0
// The C library's functions by which the engine makes, changes and removes files, defined here in its place: each does
// its system call and tells the observer. A write is two, so that one that was cut short is seen as well.
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "crashes/crash_point.h"
#include "crashes/file_calls.h"

namespace ultradict::test {

namespace {

bool random_is_chosen = false;
std::uint64_t random_state = 0;

template <typename... Arguments>
int file_call(long number, Arguments... arguments) {
  const long result = ::syscall(number, arguments...);
  if (result == 0) tell_of_file_call();
  return static_cast<int>(result);
}

template <typename... Arguments>
int call_on(int descriptor, long number, Arguments... arguments) {
  const long result = ::syscall(number, descriptor, arguments...);
  if (result == 0) tell_of_file_call(descriptor);
  return static_cast<int>(result);
}

ssize_t write_part(int descriptor, const void* source, std::size_t size, off_t offset) {
  const long written = ::syscall(SYS_pwrite64, descriptor, source, size, offset);
  if (written > 0) tell_of_file_call(descriptor);
  return written;
}

}  // namespace

void choose_random_bytes(std::uint64_t seed) {
  random_is_chosen = true;
  random_state = seed * 0x9e3779b97f4a7c15ULL;
}

void leave_random_bytes_to_chance() { random_is_chosen = false; }

}  // namespace ultradict::test

using ultradict::test::call_on;
using ultradict::test::file_call;
using ultradict::test::write_part;

extern "C" {

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  ultradict::test::tell_of_open_to_come();
  const auto descriptor = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  ultradict::test::tell_of_open();
  if (descriptor >= 0 && (flags & (O_CREAT | O_TRUNC)) != 0) ultradict::test::tell_of_file_call();
  return descriptor;
}

ssize_t pwrite(int descriptor, const void* source, size_t size, off_t offset) {
  if (!ultradict::test::is_observed() || size < 2) return write_part(descriptor, source, size, offset);
  const size_t half = size / 2;
  const ssize_t first = write_part(descriptor, source, half, offset);
  if (first != static_cast<ssize_t>(half)) return first;
  const auto* rest = static_cast<const char*>(source) + half;
  const ssize_t second = write_part(descriptor, rest, size - half, offset + first);
  return second < 0 ? first : first + second;
}

int ftruncate(int descriptor, off_t size) noexcept { return call_on(descriptor, SYS_ftruncate, size); }
int fallocate(int descriptor, int mode, off_t offset, off_t size) {
  return call_on(descriptor, SYS_fallocate, mode, offset, size);
}
int fchmod(int descriptor, mode_t mode) noexcept { return call_on(descriptor, SYS_fchmod, mode); }
int chmod(const char* path, mode_t mode) noexcept { return file_call(SYS_fchmodat, AT_FDCWD, path, mode); }
int mkdir(const char* path, mode_t mode) noexcept { return file_call(SYS_mkdirat, AT_FDCWD, path, mode); }
int rmdir(const char* path) noexcept { return file_call(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR); }
int unlink(const char* path) noexcept { return file_call(SYS_unlinkat, AT_FDCWD, path, 0); }
int symlink(const char* to, const char* path) noexcept { return file_call(SYS_symlinkat, to, AT_FDCWD, path); }
int link(const char* from, const char* to) noexcept { return file_call(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0); }
int rename(const char* from, const char* to) noexcept {
  return file_call(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

ssize_t getrandom(void* destination, size_t size, unsigned flags) {
  if (!ultradict::test::random_is_chosen) return ::syscall(SYS_getrandom, destination, size, flags);
  auto* to = static_cast<char*>(destination);
  for (size_t i = 0; i < size; ++i) {
    ultradict::test::random_state = ultradict::test::random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    to[i] = static_cast<char>(ultradict::test::random_state >> 56);
  }
  return static_cast<ssize_t>(size);
}

}  // extern "C"
