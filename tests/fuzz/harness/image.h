// SPDX-License-Identifier: Apache-2.0
// Image: the files of a dict that no process has open, kept in memory, so that each execution begins with the same
// ones. A copy of it may be changed before it is written back.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "layout.h"
#include "os/directory.h"
#include "ultradict/dict.h"

namespace ultradict::fuzz {

// Of the dicts of this process; in $ULTRADICT_DIR if set. Removed at exit.
const std::string& directory();
Options options(Create create);
// How a lock names this process as its owner.
std::uint64_t participant_word();

// Whatever an execution opened it has closed; only files in memory can tell.
void expect_all_closed();

using Files = std::map<std::string, std::string>;  // name -> bytes

class Image {
 public:
  Image() = default;
  // Makes the dict by `fill` and closes it.
  Image(const std::string& name, const Options& how, void (*fill)(Dict&));

  const std::string& name() const { return name_; }
  // A copy of the files, in memory that is used again.
  void copy_to(Files* files) const;
  // The dict's directory holds these files and no other.
  void write(const Files& files) const;
  void restore() const { write(files_); }

 private:
  std::vector<std::string> names() const;

  std::string name_;
  std::string id_;
  os::Directory directory_;
  Files files_;
};

inline Control& control_of(Files& files) { return *reinterpret_cast<Control*>(files.at("control").data()); }

}  // namespace ultradict::fuzz
