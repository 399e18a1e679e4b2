// SPDX-License-Identifier: Apache-2.0
// A file system in the memory of one process, in the place of the kernel's: what an execution of a fuzz target costs is
// then the engine's work, not some hundred system calls. os/file.h, os/file_lock.h and os/directory.h stand on it.
//
// As with the kernel's, a byte behind the last page of a file is a fault, whoever maps it; all mappings of a file are
// one; a file lives while it has a name, an open descriptor or a mapping; a lock belongs to an open file. Unlike there,
// a lock goes with the descriptor though the file is mapped: os::HeldByte knows of such kernels. Not for threads.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "os/file.h"
#include "os/file_lock.h"

namespace ultradict::memory {

using os::Size;

constexpr Size file_size_max = Size{16} << 20;  // then memory is full
constexpr Size mapping_size_max = Size{1} << 30;

struct ByteLock {
  int descriptor;
  Size byte;
  os::LockKind kind;
};

struct Node {
  char* base = nullptr;  // a place of mapping_size_max bytes
  Size size = 0;
  Size accessible = 0;  // whole pages, those of `size` since that was set
  unsigned users = 0;   // names, descriptors, mappings
  std::vector<ByteLock> locks;
};

class Files {
 public:
  static Files& instance();

  // --- names; errno says why not ---
  bool create(const std::string& path, int* descriptor);
  bool open(const std::string& path, int* descriptor);
  bool remove(const std::string& path);
  // Of a file, or of a directory with the files in it.
  bool rename(const std::string& from, const std::string& to);
  bool make_directory(const std::string& path);
  bool remove_directory(const std::string& path);
  bool is_directory(const std::string& path) const { return directories_.contains(path); }
  bool make_link(const std::string& path, const std::string& text);
  const std::string* link(const std::string& path) const;
  // Of files, links and directories.
  std::vector<std::string> list(const std::string& directory) const;

  // --- files ---
  Node& node(int descriptor) { return *open_.at(static_cast<std::size_t>(descriptor)); }
  Node* find(const std::string& path) const;
  void close(int descriptor);
  bool resize(Node& node, Size size);
  char* map(Node& node);
  void unmap(char* base);

 private:
  Files();
  bool is_there(const std::string& path) const;
  bool may_be_made(const std::string& path) const;
  bool rename_directory(const std::string& from, const std::string& to);
  int descriptor_of(Node* node);
  void release(Node* node);

  char* places_ = nullptr;
  std::vector<Node> nodes_;
  std::vector<Node*> unused_;
  std::vector<Node*> open_;
  std::unordered_map<std::string, Node*> files_;
  std::unordered_map<std::string, std::string> links_;
  std::unordered_set<std::string> directories_;
};

}  // namespace ultradict::memory
