// SPDX-License-Identifier: Apache-2.0
// Files of shared memory: create, open, allocate, map. A descriptor lives no longer than the call that needed it.
//
// Space is allocated before it is touched, always: a store to a hole of a full tmpfs is SIGBUS, and so is a load.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/fault.h"
#include "os/system.h"

namespace ultradict::os {

// Owns a descriptor.
class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File() { close(); }
  int descriptor() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }
  void close();

 private:
  int descriptor_ = -1;
};

// A new regular file of exactly this mode, whatever the umask.
Fault create_file(const char* path, unsigned mode, File* file);
// An existing regular file, not a link to one. Code::not_found if there is none.
Fault open_file(const char* path, File* file);
// forbidden if the file belongs to another user.
Fault check_owner(const File& file);
Fault file_size(const File& file, Size* size);
// Tells it from another file that has, or had, its name.
Fault file_identity(const File& file, Size* identity);
Fault file_size(const char* path, Size* size);

// Makes [offset, offset + size) real memory and the file at least that long. memory_full if there is none.
Fault allocate(const File& file, Size offset, Size size);

// Bytes that the file system of this directory has left, as far as it tells; the largest number where it has no bound.
Size free_space(const char* directory);

// memory_full if no file of this process may be so long (RLIMIT_FSIZE).
Fault check_size_limit(Size size);

// Makes the file so long; what was behind is given back. A longer one has a hole there.
Fault truncate(const File& file, Size size);

// Maps `size` bytes from the start, readable and writable. Bytes beyond the end of the file must not be touched.
Fault map(const File& file, Size size, char** base);
// The same, to be read only. `size` is not 0.
Fault map_read_only(const File& file, Size size, const char** base);
// The same where a file is mapped already, in one step.
Fault map_over(const File& file, Size size, char* base);
// Fetches pages that were allocated just now, all at once instead of one fault each. A hint.
void populate(char* base, Size size);
void unmap(char* base, Size size);

Fault read_at(const File& file, Size offset, char* destination, Size size);
Fault write_at(const File& file, Size offset, const char* source, Size size);

void remove_file(const char* path);
Fault rename_file(const char* from, const char* to);

}  // namespace ultradict::os
