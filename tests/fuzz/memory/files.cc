// SPDX-License-Identifier: Apache-2.0
#include "memory/files.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "structures/record.h"

namespace ultradict::memory {

namespace {

constexpr std::size_t nodes_max = 4096;

// The kernel's zeros where they are many, so that no place keeps the memory of the largest file that it ever had.
void zero(char* from, Size size) {
  constexpr Size kept = 512 * 1024;
  std::memset(from, 0, std::min(size, kept));
  if (size <= kept) return;
  char* const pages = from + kept - reinterpret_cast<std::uintptr_t>(from + kept) % page_size;
  if (::madvise(pages, static_cast<Size>(from + size - pages), MADV_DONTNEED) != 0) std::abort();
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

Files::Files() : nodes_(nodes_max) {
  void* const places =
      ::mmap(nullptr, nodes_max * mapping_size_max, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (places == MAP_FAILED) std::abort();
  places_ = static_cast<char*>(places);
  for (std::size_t i = nodes_max; i-- > 0;) {
    nodes_[i].base = places_ + i * mapping_size_max;
    unused_.push_back(&nodes_[i]);
  }
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
  zero(node->base, node->accessible);
  node->size = 0;
  unused_.push_back(node);
}

bool Files::create(const std::string& path, int* descriptor) {
  if (!may_be_made(path)) return false;
  if (unused_.empty()) return refuse(ENOSPC);
  Node* const node = unused_.back();
  unused_.pop_back();
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

// What is behind the end is zero and, but for the rest of the last page, a fault to touch.
bool Files::resize(Node& node, Size size) {
  if (size > file_size_max) return refuse(ENOSPC);
  if (size < node.size) zero(node.base + size, node.accessible - size);
  node.size = size;
  const Size before = std::exchange(node.accessible, round_up(size, page_size));
  const Size from = std::min(before, node.accessible);
  const Size to = std::max(before, node.accessible);
  const int protection = node.accessible > before ? PROT_READ | PROT_WRITE : PROT_NONE;
  if (from < to && ::mprotect(node.base + from, to - from, protection) != 0) std::abort();
  return true;
}

char* Files::map(Node& node) {
  ++node.users;
  return node.base;
}

void Files::unmap(char* base) { release(&nodes_.at(static_cast<std::size_t>(base - places_) / mapping_size_max)); }

}  // namespace ultradict::memory
