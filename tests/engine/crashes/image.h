// SPDX-License-Identifier: Apache-2.0
// Image: what a directory and all below it hold at one moment: what is left of every process if all die then. Images
// share what they have in common: blocks of the files, and files.
//
// Watch: the image of a directory while this process works in it, kept up to date block by block.
//
// Two images of one identity are the same to every process that comes later. Left out of it are generations and process
// ids (the token file's, and that of a dead owner in the lock word): each participant counts one on before it looks at
// anything, and then only asks whether two are equal. So is the count of recoveries, which nobody reads but people.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "crashes/crash_point.h"

namespace ultradict::test {

inline constexpr std::size_t block_size = 1024;

// Equal blocks are kept once.
class Blocks {
 public:
  std::uint32_t keep(const char* bytes);
  const char* bytes(std::uint32_t number) const { return all_[number].bytes; }
  std::size_t count() const { return all_.size(); }

 private:
  struct Block {
    char bytes[block_size];
  };
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;
  std::deque<Block> all_;
};

struct FileImage {
  mode_t mode = 0;  // says whether it is a file, a directory or a link
  std::uint64_t size = 0;
  std::string target;                 // of a link
  std::vector<std::uint32_t> blocks;  // of a file
  std::vector<std::uint64_t> marks;   // hash of each block, but for what its identity leaves out
  std::uint64_t identity = 0;         // sum over the blocks
};

using Inodes = std::map<std::string, std::uint64_t>;  // by path below the directory

class Image {
 public:
  std::map<std::string, std::shared_ptr<const FileImage>> files;  // by path below the directory
  std::uint64_t identity() const;
  // In a directory that is not there yet.
  Inodes restore(const Blocks& blocks, const std::string& directory) const;
};

// The identity without what nobody reads before writing it: the journal's stores when no change is committed, the log
// behind its tail, and segments that are free. That it makes no difference is what trying every image shows.
std::uint64_t essence(const Image& image, const Blocks& blocks);

class Watch : public Observer {
 public:
  Watch(const std::string& directory, Blocks& blocks);
  // Of a directory that was restored just now.
  Watch(const std::string& directory, Blocks& blocks, Image image, Inodes inodes);

  const Image& image() const { return image_; }
  // "" if what was told is all that changed, or the path of a file that is not what its image says.
  std::string difference() const;

  void after_store(const void* address, std::size_t size) override;
  void after_file_call(int written) override;
  void after_open() override { mappings_are_known_ = false; }
  // After each step.
  virtual void changed() = 0;

 private:
  struct Mapping {
    const char* begin;
    const char* end;
    std::uint64_t offset;  // in the file
    std::string path;      // below the directory
  };

  void scan();
  bool scan_written(int descriptor);
  void scan_file(const std::string& path, const struct stat& status);
  void set_block(FileImage& file, const std::string& path, std::size_t block, const char* bytes);
  const Mapping* mapping_of(const char* address);
  void learn_mappings();

  std::string directory_;
  Blocks& blocks_;
  Image image_;
  Inodes inodes_;
  std::vector<Mapping> mappings_;
  bool mappings_are_known_ = false;
};

}  // namespace ultradict::test
