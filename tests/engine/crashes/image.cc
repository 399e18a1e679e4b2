// SPDX-License-Identifier: Apache-2.0
#include "crashes/image.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/hash.h"
#include "layout.h"

namespace ultradict::test {

namespace fs = std::filesystem;

namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t words[2] = {a, b};
  return checksum64(words, sizeof words);
}

bool is_control(const std::string& path) { return path.ends_with("/control"); }

// The word at an offset of the file, if it lies in the block that begins at `begin`.
Word* word_in(char* bytes, std::uint64_t begin, std::uint64_t offset) {
  const bool is_here = offset >= begin && offset + sizeof(Word) <= begin + block_size;
  return is_here ? reinterpret_cast<Word*>(bytes + (offset - begin)) : nullptr;
}

// Hash of a block without what the identity leaves out.
std::uint64_t mark_of(const std::string& path, std::size_t block, const char* bytes) {
  const std::uint64_t begin = block * block_size;
  alignas(Word) char copy[block_size];
  if (path == "token") {
    std::memcpy(copy, bytes, block_size);
    const std::uint64_t records = std::max<std::uint64_t>(begin, sizeof(TokenHeader)) - begin;
    if (records < block_size) std::memset(copy + records, 0, block_size - records);
    bytes = copy;
  } else if (is_control(path)) {
    std::memcpy(copy, bytes, block_size);
    if (Word* lock = word_in(copy, begin, offsetof(Control, lock))) *lock = LockWord{*lock}.is_free() ? 0 : 1;
    if (Word* recoveries = word_in(copy, begin, offsetof(Control, state) + offsetof(State, recoveries)))
      *recoveries = 0;
    bytes = copy;
  }
  return mix(block, checksum64(bytes, block_size));
}

std::uint64_t identity_of(const std::string& path, const FileImage& file, std::uint64_t content) {
  const std::string what = path + '\0' + std::to_string(file.mode) + '\0' + std::to_string(file.size) + file.target;
  return mix(checksum64(what.data(), what.size()), content);
}

}  // namespace

std::uint32_t Blocks::keep(const char* bytes) {
  const auto [found, is_new] =
      numbers_.try_emplace(checksum64(bytes, block_size), static_cast<std::uint32_t>(all_.size()));
  if (is_new) {
    all_.emplace_back();
    std::memcpy(all_.back().bytes, bytes, block_size);
  }
  return found->second;
}

std::uint64_t Image::identity() const {
  std::uint64_t all = 0;
  for (const auto& [path, file] : files) all += identity_of(path, *file, file->identity);
  return all;
}

Inodes Image::restore(const Blocks& blocks, const std::string& directory) const {
  Inodes inodes;
  fs::create_directory(directory);
  std::vector<char> bytes;
  for (const auto& [name, file] : files) {
    const std::string path = directory + "/" + name;
    if (S_ISDIR(file->mode)) {
      EXPECT_EQ(::mkdir(path.c_str(), 0700), 0) << path;
    } else if (S_ISLNK(file->mode)) {
      EXPECT_EQ(::symlink(file->target.c_str(), path.c_str()), 0) << path;
    } else {
      bytes.resize(file->blocks.size() * block_size);
      for (std::size_t i = 0; i < file->blocks.size(); ++i)
        std::memcpy(bytes.data() + i * block_size, blocks.bytes(file->blocks[i]), block_size);
      const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, file->mode & 07777);
      EXPECT_EQ(::pwrite(descriptor, bytes.data(), file->size, 0), static_cast<ssize_t>(file->size)) << path;
      ::close(descriptor);
    }
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    inodes[name] = status.st_ino;
  }
  return inodes;
}

namespace {

struct alignas(Control) Line {
  char bytes[alignof(Control)];
};
static_assert(block_size % sizeof(Line) == 0);

// A whole file, where a Control may lie.
class Copy {
 public:
  Copy(const FileImage& file, const Blocks& blocks) : lines_(file.blocks.size() * (block_size / sizeof(Line))) {
    for (std::size_t i = 0; i < file.blocks.size(); ++i)
      std::memcpy(bytes() + i * block_size, blocks.bytes(file.blocks[i]), block_size);
  }
  char* bytes() { return reinterpret_cast<char*>(lines_.data()); }
  std::size_t size() const { return lines_.size() * sizeof(Line); }
  Control& control() { return *reinterpret_cast<Control*>(lines_.data()); }
  void blank(Word begin, Word end) {
    if (begin < end && end <= size()) std::memset(bytes() + begin, 0, end - begin);
  }

 private:
  std::vector<Line> lines_;
};

bool is_tail(const State& state, Word number) { return Ref{state.tail}.segment() == number; }

// Bytes of a segment that somebody may read.
Word read_size(const Control& control, Word number) {
  const SegmentDescriptor& segment = control.segments[number];
  if (is_tail(control.state, number)) return (Ref{control.state.tail}.position() - segment.first) * unit_size;
  return segment.filled;
}

// The control file with zeros where nobody reads.
std::uint64_t essence_of_control(Copy& copy) {
  Control& control = copy.control();
  control.lock = LockWord{control.lock}.is_free() ? 0 : 1;
  control.state.recoveries = 0;
  if (control.journal.word == 0) std::memset(control.journal.stores, 0, sizeof control.journal.stores);
  for (Word number = 0; number < control_segments; ++number) {
    const Word begin = control.identity.segments_offset + number * control.identity.segment_size;
    copy.blank(begin + read_size(control, number), begin + control.identity.segment_size);
  }
  return checksum64(copy.bytes(), copy.size());
}

}  // namespace

std::uint64_t essence(const Image& image, const Blocks& blocks) {
  std::uint64_t all = 0;
  std::map<std::string, Word> read_sizes;  // of segments with files
  for (const auto& [path, file] : image.files) {
    if (!is_control(path) || file->size < sizeof(Control)) continue;
    Copy copy(*file, blocks);
    const Control& control = copy.control();
    const std::string directory = path.substr(0, path.size() - std::strlen("control"));
    for (Word number = control_segments; number < segments_max; ++number) {
      const Word named = control.segments[number].file;
      if (named != 0) read_sizes[directory + "segment-" + std::to_string(named)] = read_size(control, number);
    }
    all += identity_of(path, *file, essence_of_control(copy));
  }
  for (const auto& [path, file] : image.files) {
    if (is_control(path) && file->size >= sizeof(Control)) continue;
    const auto found = read_sizes.find(path);
    std::uint64_t content = file->identity;
    if (found != read_sizes.end() && found->second <= file->size) {
      content = checksum64(Copy(*file, blocks).bytes(), found->second);
    }
    all += identity_of(path, *file, content);
  }
  return all;
}

Watch::Watch(const std::string& directory, Blocks& blocks) : directory_(directory), blocks_(blocks) { scan(); }

Watch::Watch(const std::string& directory, Blocks& blocks, Image image, Inodes inodes)
    : directory_(directory), blocks_(blocks), image_(std::move(image)), inodes_(std::move(inodes)) {}

void Watch::scan() {
  std::map<std::string, std::shared_ptr<const FileImage>> gone = image_.files;
  std::error_code ended;
  for (fs::recursive_directory_iterator at(directory_, ended), end; at != end; at.increment(ended)) {
    const std::string path = at->path().string().substr(directory_.size() + 1);
    struct stat status {};
    if (::lstat(at->path().c_str(), &status) != 0) continue;
    gone.erase(path);
    const auto found = image_.files.find(path);
    const bool is_known = found != image_.files.end() && inodes_[path] == status.st_ino &&
                          found->second->mode == status.st_mode &&
                          (!S_ISREG(status.st_mode) || found->second->size == static_cast<Word>(status.st_size));
    if (!is_known) scan_file(path, status);
  }
  for (const auto& [path, file] : gone) image_.files.erase(path);
}

void Watch::scan_file(const std::string& path, const struct stat& status) {
  auto file = std::make_shared<FileImage>();
  file->mode = status.st_mode;
  const std::string whole = directory_ + "/" + path;
  if (S_ISLNK(status.st_mode)) file->target = fs::read_symlink(whole).string();
  if (S_ISREG(status.st_mode)) {
    file->size = static_cast<std::uint64_t>(status.st_size);
    const std::size_t count = (file->size + block_size - 1) / block_size;
    std::vector<char> bytes(count * block_size);
    const int descriptor = static_cast<int>(::openat(AT_FDCWD, whole.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(::pread(descriptor, bytes.data(), bytes.size(), 0), status.st_size) << path;
    ::close(descriptor);
    file->blocks.resize(count);
    file->marks.resize(count);
    for (std::size_t i = 0; i < count; ++i) set_block(*file, path, i, bytes.data() + i * block_size);
  }
  inodes_[path] = status.st_ino;
  image_.files[path] = std::move(file);
}

void Watch::set_block(FileImage& file, const std::string& path, std::size_t block, const char* bytes) {
  const std::uint64_t mark = mark_of(path, block, bytes);
  file.identity += mark - file.marks[block];
  file.marks[block] = mark;
  file.blocks[block] = blocks_.keep(bytes);
}

void Watch::after_store(const void* address, std::size_t) {
  const auto* at = static_cast<const char*>(address);
  const Mapping* mapping = mapping_of(at);
  if (!mapping) return;  // of a file that has been removed
  const auto found = image_.files.find(mapping->path);
  const std::size_t block = (mapping->offset + static_cast<std::size_t>(at - mapping->begin)) / block_size;
  if (found == image_.files.end() || block >= found->second->blocks.size()) {
    ADD_FAILURE() << "a store to " << mapping->path << " beyond what is known of it";
    return;
  }
  auto file = std::make_shared<FileImage>(*found->second);
  set_block(*file, mapping->path, block, mapping->begin + block * block_size - mapping->offset);
  found->second = std::move(file);
  changed();
}

void Watch::after_file_call(int written) {
  if (written < 0 || !scan_written(written)) scan();
  mappings_are_known_ = false;
  changed();
}

// Only that file has changed, if it is one of those.
bool Watch::scan_written(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return false;
  for (const auto& [path, file] : image_.files) {
    if (inodes_[path] != status.st_ino) continue;
    scan_file(path, status);
    return true;
  }
  return false;
}

const Watch::Mapping* Watch::mapping_of(const char* address) {
  for (int look = 0; look < 2; ++look) {
    if (!mappings_are_known_) learn_mappings();
    for (const Mapping& mapping : mappings_) {
      if (address >= mapping.begin && address < mapping.end) return &mapping;
    }
    mappings_are_known_ = false;
  }
  return nullptr;
}

void Watch::learn_mappings() {
  mappings_.clear();
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::size_t slash = line.find(directory_ + "/");
    if (slash == line.npos || line.ends_with(" (deleted)")) continue;
    unsigned long begin = 0;
    unsigned long end = 0;
    unsigned long offset = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %lx", &begin, &end, &offset) != 3) continue;
    mappings_.push_back({reinterpret_cast<const char*>(begin), reinterpret_cast<const char*>(end), offset,
                         line.substr(slash + directory_.size() + 1)});
  }
  mappings_are_known_ = true;
}

std::string Watch::difference() const {
  class Silent : public Watch {
   public:
    using Watch::Watch;
    void changed() override {}
  };
  const Silent now(directory_, blocks_);
  for (const auto& [path, file] : now.image_.files) {
    const auto found = image_.files.find(path);
    if (found == image_.files.end() || found->second->blocks != file->blocks) return path;
  }
  return now.image_.files.size() == image_.files.size() ? "" : "a file that is gone";
}

}  // namespace ultradict::test
