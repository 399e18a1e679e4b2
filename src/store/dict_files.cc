// SPDX-License-Identifier: Apache-2.0
#include "store/dict_files.h"

#include <cstdlib>
#include <string_view>

#include "os/directory.h"

namespace ultradict {

Fault DictFiles::create(LockHeld, const std::string& name, Word size, os::File* file) const {
  Fault fault = os::create_file(path_of(name).c_str(), mode_, file);
  if (fault.code == Code::already_exists) {
    remove(name);
    fault = os::create_file(path_of(name).c_str(), mode_, file);
  }
  if (!fault) fault = os::allocate(*file, 0, size);
  if (fault && *file) remove(name);
  return fault;
}

Fault DictFiles::grow(LockHeld, const std::string& name, Word from, Word to) const {
  os::File file;
  if (Fault fault = open(name, &file)) return fault;
  return os::allocate(file, from, to - from);
}

void DictFiles::remove_entries(Word table) const {
  for (Word extent = 1; extent < extents_max; ++extent) remove(entries(table, extent));
}

Fault DictFiles::stage_blob(const std::string& name, Bytes value) const {
  os::File file;
  if (Fault fault = os::create_file(path_of(name).c_str(), mode_, &file)) return fault;
  const Fault fault = os::write_at(file, 0, value.data(), value.size());
  if (fault) remove(name);
  return fault;
}

Fault DictFiles::publish_blob(LockHeld, const std::string& staged, Word sequence) const {
  return os::rename_file(path_of(staged).c_str(), path_of(blob(sequence)).c_str());
}

Fault DictFiles::read_blob(Word sequence, char* destination, Word size) const {
  os::File file;
  if (Fault fault = open(blob(sequence), &file)) return fault;
  return os::read_at(file, 0, destination, size);
}

void DictFiles::remove_blobs(Word from, Word to) const {
  constexpr std::string_view prefix = "blob-";
  list([&](const char* name) {
    if (!std::string_view(name).starts_with(prefix)) return;
    const Word sequence = std::strtoull(name + prefix.size(), nullptr, 10);
    if (sequence >= from && sequence < to) remove(name);
  });
}

void DictFiles::list(const std::function<void(const char* name)>& look) const { os::list_directory(path_, look); }

}  // namespace ultradict
