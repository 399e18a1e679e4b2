// SPDX-License-Identifier: Apache-2.0
#include "store/dict_files.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include "base/hash.h"
#include "os/directory.h"
#include "structures/record.h"

namespace ultradict {

namespace {

// Of a file that is made: not found is the directory of the dict.
Fault in_its_directory(const Fault& fault) {
  return fault.code == Code::not_found ? Fault::damaged("its directory is missing") : fault;
}

}  // namespace

Fault DictFiles::create(LockHeld held, const char* name, Word size, os::File* file) const {
  Fault fault = os::create_file(path_of(name), mode_, file);
  if (fault.code == Code::already_exists) {
    remove(name);
    fault = os::create_file(path_of(name), mode_, file);
  }
  fault = in_its_directory(fault);
  if (!fault) fault = budget_.allocate(held, *file, 0, size);
  if (fault && *file) remove(name);
  return fault;
}

Fault DictFiles::grow(LockHeld held, const char* name, Word from, Word to) const {
  os::File file;
  os::Size there = 0;
  if (Fault fault = open(name, &file))
    return fault.code == Code::not_found ? Fault::damaged("a file is missing", from) : fault;
  if (Fault fault = os::file_size(file, &there)) return fault;
  if (there < from) return Fault::damaged("a file is shorter than what is recorded of it", there, from);
  return budget_.allocate(held, file, from, to);
}

void DictFiles::remove(LockHeld held, const char* name) const {
  os::File file;
  os::Size size = 0;
  const bool gives = budget_.is_bounded() && !open(name, &file) && !os::file_size(file, &size);
  file.close();
  remove(name);
  if (gives) budget_.give(held, size);
}

void DictFiles::remove_staged(LockHeld held, const char* name) const {
  os::File file;
  if (budget_.is_bounded() && !open(name, &file)) budget_.take_back(held, file, 0);
  remove(held, name);
}

void DictFiles::remove_entries(LockHeld held, Word table) const {
  for (Word extent = 1; extent < extents_max; ++extent) remove(held, entries(table, extent));
}

// In pieces that stay in the processor's cache between the copy, the sum and the write.
Fault DictFiles::write_blob(const os::File& file, std::span<const Bytes> parts, Word* checksum) {
  constexpr std::size_t piece_size = 128 * 1024;
  const std::unique_ptr<char[]> piece(new (std::nothrow) char[piece_size]);
  if (!piece) return Fault::of(Code::memory_full, "no memory to write a large value from");
  StreamedChecksum sum;
  Word offset = 0;
  for (Bytes part : parts) {
    while (!part.empty()) {
      const std::size_t size = std::min(part.size(), piece_size);
      std::memcpy(piece.get(), part.data(), size);
      sum.add(piece.get(), size);
      if (Fault fault = os::write_at(file, offset, piece.get(), size)) return fault;
      offset += size;
      part.remove_prefix(size);
    }
  }
  *checksum = sum.value();
  return {};
}

Fault DictFiles::create_staged(const char* name, os::File* file) const {
  return in_its_directory(os::create_file(path_of(name), mode_, file));
}

Fault DictFiles::publish_blob(LockHeld, const char* staged, Word sequence) const {
  const Fault fault = os::rename_file(path_of(staged), path_of(blob(sequence)));
  return fault.code == Code::not_found ? Fault::damaged("a file that was being written is missing") : fault;
}

Fault DictFiles::blob_size(Word sequence, Word* size) const { return os::file_size(path_of(blob(sequence)), size); }

Fault DictFiles::read_blob(Word sequence, char* destination, Word size) const {
  os::File file;
  if (Fault fault = open(blob(sequence), &file)) return fault;
  return os::read_at(file, 0, destination, size);
}

Fault DictFiles::map_blob(Word sequence, Word size, const char** base) const {
  os::File file;
  if (Fault fault = open(blob(sequence), &file)) return fault;
  os::Size there = 0;
  if (Fault fault = os::file_size(file, &there)) return fault;
  if (there != size) return Fault::damaged("blob: size of its file", there, size);
  return os::map_read_only(file, size, base);
}

Fault DictFiles::remove_blobs(LockHeld held, Word from, Word to) const {
  constexpr std::string_view prefix = "blob-";
  return list([&](const char* name) {
    if (!std::string_view(name).starts_with(prefix)) return;
    const Word sequence = std::strtoull(name + prefix.size(), nullptr, 10);
    if (sequence >= from && sequence < to) remove(held, name);
  });
}

Fault DictFiles::list(FunctionRef<void(const char* name)> look) const {
  return os::list_directory(path_.c_str(), look);
}

}  // namespace ultradict
