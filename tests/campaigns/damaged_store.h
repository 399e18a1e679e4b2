// SPDX-License-Identifier: Apache-2.0
// DamagedStore: a closed dict of 64 KiB and a blob, whose files a campaign damages over and over, and what it must give
// afterwards: errors, or what was stored. Cases run by the thousand in one child, which says at which one it was when
// it ended.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {

class DamagedStore {
 public:
  using Files = std::map<std::string, std::string>;  // name -> bytes

  // `keys` is chosen so that all records lie in control: then the dict is checked whole on attach.
  explicit DamagedStore(int keys = 60, std::size_t value_size = 100);

  const Files& files() const { return files_; }
  const Content& content() const { return content_; }
  std::string path_of(const std::string& file) const { return directory_ + "/" + file; }
  std::size_t size() const;  // of all files
  // The byte of all files in a row: in which it is, and where there.
  char& at(Files& files, std::size_t offset) const;

  Status open(Dict* dict) const;
  // The directory holds these files and no other.
  void write(const Files& files) const;
  void restore() const { write(files_); }
  // Opens it, reads, iterates, writes, reads again. "" if all that was said was right or an error, else what was not.
  std::string wrong_after_use() const;
  // Reads what is there through a handle: likewise.
  std::string wrong_of(const Dict& dict) const;

 private:
  std::string wrong_keys(const Dict& dict) const;
  std::string wrong_walk(const Dict& dict) const;
  std::string wrong_writes(Dict& dict) const;

  Scratch scratch_;
  std::string directory_;
  Files files_;
  Content content_;
};

// Runs `one` for the cases from `begin` to `end`, by `step`, in children that end when a case takes longer than ten
// seconds or more memory than a gigabyte. `one` answers what was wrong, "" if nothing. A case that was wrong or ended
// its child is a test failure that names it. Returns how many ran.
std::uint64_t run_cases(std::uint64_t begin, std::uint64_t end, std::uint64_t step,
                        const std::function<std::string(std::uint64_t)>& one);

}  // namespace ultradict::test
