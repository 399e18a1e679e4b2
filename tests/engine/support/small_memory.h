// SPDX-License-Identifier: Apache-2.0
// SmallMemory: a file system of its own for dicts, of a size that a test chooses and others can use up. Not there where
// mounting is not permitted.
#pragma once

#include <cstdint>
#include <string>

#include "support/scratch.h"

namespace ultradict::test {

class SmallMemory {
 public:
  // `inodes` 0: as many as anybody wants.
  explicit SmallMemory(std::uint64_t size, std::uint64_t inodes = 0);
  ~SmallMemory();
  SmallMemory(const SmallMemory&) = delete;
  SmallMemory& operator=(const SmallMemory&) = delete;

  bool is_there() const { return mounted_; }
  const std::string& path() const { return path_; }
  Options options(Create create = Create::if_missing) const;
  std::uint64_t free_pages() const;
  // Others take so many pages, or all there are, and give them back, all or one.
  void fill_up(std::uint64_t pages_max = ~std::uint64_t{0}) const;
  void empty() const;
  void give_back_page() const;

 private:
  std::string filler() const { return path_ + "/filler"; }

  Scratch scratch_;
  std::string path_;
  bool mounted_ = false;
};

}  // namespace ultradict::test
