// SPDX-License-Identifier: Apache-2.0
#include "os/file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "memory/files.h"

namespace ultradict::os {

namespace {

memory::Files& files() { return memory::Files::instance(); }
memory::Node& node_of(const File& file) { return files().node(file.descriptor()); }

Fault map_node(const File& file, memory::Mapping mapping, char** base) {
  if (mapping.size > memory::mapping_size_max || mapping.size == 0) {
    errno = mapping.size == 0 ? EINVAL : ENOMEM;
    return system_fault("map shared memory");
  }
  *base = files().map(node_of(file), mapping);
  return {};
}

}  // namespace

void File::close() {
  if (descriptor_ >= 0) files().close(std::exchange(descriptor_, -1));
}

Fault create_file(const char* path, unsigned, File* file) {
  int descriptor = -1;
  if (!files().create(path, &descriptor)) return system_fault("create a file");
  *file = File(descriptor);
  return {};
}

Fault open_file(const char* path, File* file) {
  int descriptor = -1;
  if (!files().open(path, &descriptor)) return system_fault("open a file");
  *file = File(descriptor);
  return {};
}

Fault check_owner(const File&) { return {}; }

Fault file_size(const char* path, Size* size) {
  const memory::Node* const node = files().find(path);
  if (!node) {
    errno = ENOENT;
    return system_fault("ask for a file's size");
  }
  *size = node->size;
  return {};
}

Fault file_size(const File& file, Size* size) {
  *size = node_of(file).size;
  return {};
}

Fault file_identity(const File& file, Size* identity) {
  *identity = node_of(file).number;
  return {};
}

Fault allocate(const File& file, Size offset, Size size) {
  if (offset + size < size) return Fault{Code::memory_full, EFBIG, "allocate shared memory", offset, size};
  memory::Node& node = node_of(file);
  if (offset + size > node.size) files().resize(node, offset + size);
  return {};
}

Size free_space(const char*) { return ~Size{0}; }

Fault check_size_limit(Size) { return {}; }

Fault truncate(const File& file, Size size) {
  files().resize(node_of(file), size);
  return {};
}

Fault map(const File& file, Size size, char** base) { return map_node(file, {size, true}, base); }

Fault map_read_only(const File& file, Size size, const char** base) {
  char* mapped = nullptr;
  if (Fault fault = map_node(file, {size, false}, &mapped)) return fault;
  *base = mapped;
  return {};
}

Fault map_over(const File& file, Size size, char* base) {
  files().map_over(node_of(file), base, size);
  return {};
}

void populate(char*, Size) {}
void unmap(char* base, Size size) {
  if (base) files().unmap(base, size);
}

Fault read_at(const File& file, Size offset, char* destination, Size size) {
  const memory::Node& node = node_of(file);
  if (offset > node.size || size > node.size - offset)
    return Fault::damaged("a file is shorter than what is recorded of it", std::max(offset, node.size), offset + size);
  std::memcpy(destination, files().bytes(node) + offset, size);
  return {};
}

Fault write_at(const File& file, Size offset, const char* source, Size size) {
  if (size > 0) files().write(node_of(file), offset, source, size);
  return {};
}

void remove_file(const char* path) { (void)files().remove(path); }

Fault rename_file(const char* from, const char* to) {
  return files().rename(from, to) ? Fault::none() : system_fault("rename a file");
}

}  // namespace ultradict::os
