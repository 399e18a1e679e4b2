// SPDX-License-Identifier: Apache-2.0
// MemoryBudget: max_bytes, kept by a file that is as large as what is left of it. So the memory is the dict's before it
// is needed. Who allocates takes from it first; what is removed is given back: all files together, this one included,
// are never more than max_bytes. Who dies in between leaves too little in it; recount() finds it again.
//
// No kernel moves memory from one file to another: between the two it is free for a moment, and whoever keeps asking
// for memory may be faster. So it moves in steps. Who was faster has one step; for that another one is taken.
//
// Thread and process safety: changed under the dict's lock only; left() may be asked by anyone.
#pragma once

#include <string>

#include "base/lock_held.h"
#include "layout.h"
#include "os/file.h"
#include "os/text.h"

namespace ultradict {

class MemoryBudget {
 public:
  MemoryBudget() = default;
  // Of the dict whose files are in this directory. max_bytes 0: no bound, and nothing here but allocate() does
  // anything.
  MemoryBudget(std::string directory, Word max_bytes)
      : directory_(std::move(directory)), max_bytes_(max_bytes / page_size * page_size) {}  // memory comes in pages

  bool is_bounded() const { return max_bytes_ != 0; }
  // In a directory that nobody else knows yet.
  Fault set_aside(unsigned mode) const;
  // Bytes; 0 where there is no bound.
  Word left() const;

  // Makes [from, to) of a file real memory, out of what is left; without a bound out of what the machine has. The file
  // has `from` bytes at least. memory_full: nothing is changed.
  Fault allocate(LockHeld held, const os::File& file, Word from, Word to) const;
  // memory_full if that much is not left, nor in the file system where there is no bound: to find out by taking it
  // would leave nothing to others.
  Fault check_left(LockHeld held, Word size) const;
  // Shortens a file where nobody touches what is behind; that is left again.
  void take_back(LockHeld held, const os::File& file, Word size) const;
  // Of a file that is gone. As much is kept as there is: others may have been faster.
  void give(LockHeld held, Word size) const;
  // What the files do not use is left, as far as it is there. Whether that is more than before.
  bool recount(LockHeld held) const;
  // Bytes of all files but this one.
  Fault sum_up(Word* used) const;

 private:
  os::Path path() const { return {directory_, name}; }
  Fault open(os::File* file, Word* left) const;
  Fault too_little(Word wanted) const;
  Fault move_to(const os::File& file, Word from, Word to) const;

  static constexpr const char* name = "budget";
  std::string directory_;
  Word max_bytes_ = 0;
};

}  // namespace ultradict
