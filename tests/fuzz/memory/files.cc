// SPDX-License-Identifier: Apache-2.0
#include "memory/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "structures/record.h"

namespace ultradict::memory {

namespace {

constexpr std::size_t nodes_max = 1024;
// From one file to the next. No power of two leads from a byte of one file to one of another: damage that adds one to a
// position must not find memory there.
constexpr Size distance = Size{65} << 24;
constexpr std::size_t resting_max = 8;
constexpr Size kept_size = 320 * 1024;  // what is behind is given back with the file

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "files in memory: %s\n", what);
  std::abort();
}

// At `begin`, where there is room for it.
char* map_all(int memory, char* begin, int protection) {
  void* const mapped =
      ::mmap(begin, nodes_max * distance, protection, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, memory, 0);
  if (mapped != begin) fail("no address space");
  return begin;
}

bool refuse(int error) {
  errno = error;
  return false;
}

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool lies_in(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

// The name in `directory` itself, not in one below it; empty if it is none.
std::string name_in(const std::string& path, const std::string& directory) {
  const std::string name = lies_in(path, directory) ? path.substr(directory.size() + 1) : std::string();
  return name.find('/') == name.npos ? name : std::string();
}

}  // namespace

Files& Files::instance() {
  static auto* const files = new Files;
  return *files;
}

Files::Files() : memory_(::memfd_create("files", MFD_CLOEXEC)), nodes_(nodes_max) {
  if (memory_ < 0 || ::ftruncate(memory_, nodes_max * distance) != 0) fail("no memory");
  // Nor does a power of two lead from the one to the other.
  constexpr Size apart = Size{3} << 41;
  void* const room =
      ::mmap(nullptr, apart + nodes_max * distance, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) fail("no address space");
  places_ = map_all(memory_, static_cast<char*>(room), PROT_NONE);
  bytes_ = map_all(memory_, static_cast<char*>(room) + apart, PROT_READ | PROT_WRITE);
  for (std::size_t number = 0; number < nodes_max; ++number) {
    nodes_[number].number = number;
    fresh_.push_back(&nodes_[number]);
  }
}

char* Files::place(const Node& node) const { return places_ + node.number * distance; }
char* Files::bytes(const Node& node) const { return bytes_ + node.number * distance; }

// What may be touched where the file is mapped: of its pages, as far as the longest mapping leads.
void Files::protect(Node& node) {
  Size mapped = 0;
  bool writable = false;
  for (const Mapping& mapping : node.mappings) {
    mapped = std::max(mapped, mapping.size);
    writable |= mapping.writable;
  }
  const Size before = node.writable == writable ? node.accessible : 0;
  const Size had = std::max(before, node.accessible);
  node.accessible = std::min(round_up(node.size, page_size), round_up(mapped, page_size));
  node.writable = writable;
  const auto set = [&](Size from, Size to, int protection) {
    if (from < to && ::mprotect(place(node) + from, to - from, protection) != 0) fail("mprotect");
  };
  set(before, node.accessible, writable ? PROT_READ | PROT_WRITE : PROT_READ);
  set(node.accessible, had, PROT_NONE);
}

bool Files::is_there(const std::string& path) const {
  return files_.contains(path) || links_.contains(path) || directories_.contains(path);
}

bool Files::may_be_made(const std::string& path) const {
  if (is_there(path)) return refuse(EEXIST);
  return directories_.contains(directory_of(path)) || refuse(ENOENT);
}

int Files::descriptor_of(Node* node) {
  ++node->users;
  const auto free = std::find(open_.begin(), open_.end(), nullptr);
  const auto place = free - open_.begin();
  if (free == open_.end()) open_.push_back(nullptr);
  open_[static_cast<std::size_t>(place)] = node;
  return static_cast<int>(place);
}

void Files::release(Node* node) {
  if (--node->users > 0) return;
  node->size = 0;
  protect(*node);
  if (node->dirty > kept_size) {
    const auto at = static_cast<off_t>(node->number * distance + kept_size);
    const auto length = static_cast<off_t>(round_up(node->dirty, page_size) - kept_size);
    if (::fallocate(memory_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, length) != 0) fail("fallocate");
    node->dirty = kept_size;
  }
  released_.push_back(node);
}

// The places that went last rest for a while.
Node* Files::take_place() {
  if (released_.size() > resting_max) {
    Node* const node = released_.front();
    released_.pop_front();
    return node;
  }
  if (fresh_.empty()) fail("more files than there are places for");
  Node* const node = fresh_.back();
  fresh_.pop_back();
  return node;
}

bool Files::create(const std::string& path, int* descriptor) {
  if (!may_be_made(path)) return false;
  Node* const node = take_place();
  node->users = 1;
  files_.emplace(path, node);
  *descriptor = descriptor_of(node);
  return true;
}

bool Files::open(const std::string& path, int* descriptor) {
  Node* const node = find(path);
  if (!node) return refuse(links_.contains(path) ? ELOOP : directories_.contains(path) ? EISDIR : ENOENT);
  *descriptor = descriptor_of(node);
  return true;
}

bool Files::remove(const std::string& path) {
  if (links_.erase(path) != 0) return true;
  const auto found = files_.find(path);
  if (found == files_.end()) return refuse(directories_.contains(path) ? EISDIR : ENOENT);
  release(found->second);
  files_.erase(found);
  return true;
}

bool Files::rename(const std::string& from, const std::string& to) {
  if (directories_.contains(from)) return rename_directory(from, to);
  const auto found = files_.find(from);
  if (found == files_.end() || !directories_.contains(directory_of(to))) return refuse(ENOENT);
  Node* const node = found->second;
  files_.erase(found);
  (void)remove(to);
  files_.emplace(to, node);
  return true;
}

bool Files::rename_directory(const std::string& from, const std::string& to) {
  if (is_there(to)) return refuse(EEXIST);
  directories_.erase(from);
  directories_.insert(to);
  for (const std::string& name : list(from)) {
    auto moved = files_.extract(from + "/" + name);
    moved.key() = to + "/" + name;
    files_.insert(std::move(moved));
  }
  return true;
}

bool Files::make_directory(const std::string& path) {
  if (is_there(path)) return refuse(EEXIST);
  directories_.insert(path);
  return true;
}

bool Files::remove_directory(const std::string& path) {
  if (!list(path).empty()) return refuse(ENOTEMPTY);
  return directories_.erase(path) != 0 || refuse(ENOENT);
}

bool Files::make_link(const std::string& path, const std::string& text) {
  if (!may_be_made(path)) return false;
  links_.emplace(path, text);
  return true;
}

const std::string* Files::link(const std::string& path) const {
  const auto found = links_.find(path);
  return found == links_.end() ? nullptr : &found->second;
}

std::vector<std::string> Files::list(const std::string& directory) const {
  std::vector<std::string> found;
  const auto look_at = [&](const std::string& path) {
    if (std::string name = name_in(path, directory); !name.empty()) found.push_back(std::move(name));
  };
  for (const auto& [path, node] : files_) look_at(path);
  for (const auto& [path, text] : links_) look_at(path);
  for (const std::string& path : directories_) look_at(path);
  std::sort(found.begin(), found.end());
  return found;
}

Node* Files::find(const std::string& path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : found->second;
}

void Files::close(int descriptor) {
  Node* const closed = std::exchange(open_.at(static_cast<std::size_t>(descriptor)), nullptr);
  std::erase_if(closed->locks, [&](const ByteLock& lock) { return lock.descriptor == descriptor; });
  release(closed);
}

// Zeros where something else was.
void Files::clean(Node& node, Size from, Size to) {
  if (from < std::min(to, node.dirty)) std::memset(bytes(node) + from, 0, std::min(to, node.dirty) - from);
}

// What is added is zero, the rest of the last page too.
void Files::resize(Node& node, Size size) {
  if (size > file_size_max) fail("a file as large as no sound dict needs");
  const Size end = round_up(size, page_size);
  clean(node, std::min(size, node.size), end);
  node.size = size;
  node.dirty = std::max(node.dirty, end);
  protect(node);
}

// What is written need not be zero before.
void Files::write(Node& node, Size offset, const char* source, Size size) {
  if (offset + size > node.size) {
    clean(node, node.size, offset);
    node.size = offset + size;
    resize(node, node.size);
  }
  std::memcpy(bytes(node) + offset, source, size);
}

char* Files::map(Node& node, Mapping mapping) {
  ++node.users;
  node.mappings.push_back(mapping);
  protect(node);
  return place(node);
}

void Files::unmap(char* base, Size size) {
  Node& node = nodes_.at(static_cast<std::size_t>(base - places_) / distance);
  auto found = node.mappings.end();  // of two that are as long, the one that cannot be written
  for (auto each = node.mappings.begin(); each != node.mappings.end(); ++each) {
    if (each->size == size && (found == node.mappings.end() || !each->writable)) found = each;
  }
  if (base != place(node) || found == node.mappings.end()) fail("what is unmapped is no mapping");
  node.mappings.erase(found);
  if (!node.mappings.empty()) protect(node);
  release(&node);
}

void Files::map_over(Node& node, char* base, Size size) {
  if (base != place(node) || node.mappings.empty()) fail("what is mapped over is no mapping of that file");
  node.mappings.front().size = size;
  protect(node);
}

void Files::expect_left(std::size_t descriptors) const {
  const auto open = open_.size() - static_cast<std::size_t>(std::count(open_.begin(), open_.end(), nullptr));
  if (open != descriptors) fail("a descriptor was not closed");
  if (std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return !node.mappings.empty(); }))
    fail("a mapping was not given up");
}

}  // namespace ultradict::memory
