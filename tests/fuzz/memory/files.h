// SPDX-License-Identifier: Apache-2.0
// A file system in the memory of one process, in the place of the kernel's: what an execution of a fuzz target costs is
// then the engine's work, not some hundred system calls. os/file.h, os/file_lock.h and os/directory.h stand on it.
//
// It is nearly as strict as the kernel's. To touch what is behind the last page of a file, or behind the end of its
// longest mapping, is a fault, and so is any touch when the file is gone; a file lives while it has a name, an open
// descriptor or a mapping; a lock belongs to an open file. Unlike there, all mappings of a file are one, what was
// mapped of a file that still has its name can be touched, and a lock goes with the descriptor though the file is
// mapped: os::HeldByte knows of such kernels. Not for threads.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "os/file.h"
#include "os/file_lock.h"

namespace ultradict::memory {

using os::Size;

constexpr Size mapping_size_max = Size{1} << 47;  // as the kernel's
// No sound dict of a fuzz target comes near it: a number that lies must not use up the machine.
constexpr Size file_size_max = Size{16} << 20;

struct ByteLock {
  int descriptor;
  Size byte;
  os::LockKind kind;
};

struct Mapping {
  Size size;
  bool writable;
};

struct Node {
  std::size_t number = 0;
  Size size = 0;
  unsigned users = 0;  // names, descriptors, mappings
  std::vector<ByteLock> locks;
  std::vector<Mapping> mappings;
  Size dirty = 0;       // bytes of its place that are not known to be zero
  Size accessible = 0;  // those that may be touched there
  bool writable = false;
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
  // Of files, links and directories, sorted.
  std::vector<std::string> list(const std::string& directory) const;

  // --- files ---
  Node& node(int descriptor) { return *open_.at(static_cast<std::size_t>(descriptor)); }
  Node* find(const std::string& path) const;
  void close(int descriptor);
  void resize(Node& node, Size size);
  void write(Node& node, Size offset, const char* source, Size size);
  char* bytes(const Node& node) const;  // to read and write it without a mapping
  char* map(Node& node, Mapping mapping);
  void unmap(char* base, Size size);
  // The mapping is now so long.
  void map_over(Node& node, char* base, Size size);

  // Ends the process if more is open or mapped than `descriptors`.
  void expect_left(std::size_t descriptors) const;

 private:
  Files();
  bool is_there(const std::string& path) const;
  bool may_be_made(const std::string& path) const;
  bool rename_directory(const std::string& from, const std::string& to);
  Node* take_place();
  int descriptor_of(Node* node);
  char* place(const Node& node) const;
  void clean(Node& node, Size from, Size to);
  void protect(Node& node);
  void release(Node* node);

  char* places_ = nullptr;  // where files are mapped, to be touched as far as they are
  char* bytes_ = nullptr;   // the same memory
  int memory_ = -1;
  std::vector<Node> nodes_;
  std::vector<Node*> fresh_;
  std::deque<Node*> released_;  // what still points there should meet nobody
  std::vector<Node*> open_;
  std::unordered_map<std::string, Node*> files_;
  std::unordered_map<std::string, std::string> links_;
  std::unordered_set<std::string> directories_;
};

}  // namespace ultradict::memory
