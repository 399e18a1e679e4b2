// SPDX-License-Identifier: Apache-2.0
// MemoryBudget: max_bytes, kept by a file that is as large as what is left of it. So the memory is the dict's before it
// is needed. Who allocates takes from it first; what is removed is given back: all files together, this one included,
// are never more than max_bytes. Who dies in between leaves too little in it; recount() finds it again.
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
  // Of the dict whose files are in this directory. max_bytes 0: no bound, and everything here does nothing.
  MemoryBudget(std::string directory, Word max_bytes) : directory_(std::move(directory)), max_bytes_(max_bytes) {}

  bool is_bounded() const { return max_bytes_ != 0; }
  // In a directory that nobody else knows yet.
  Fault set_aside(unsigned mode) const;
  // Bytes; 0 where there is no bound.
  Word left() const;

  // memory_full if no more is left.
  Fault take(LockHeld held, Word size) const;
  void give(LockHeld held, Word size) const;
  // What the files do not use is left. Whether that is more than before.
  bool recount(LockHeld held) const;
  // Bytes of all files but this one.
  Fault sum_up(Word* used) const;

 private:
  os::Path path() const { return {directory_, name}; }
  Fault open(os::File* file, Word* left) const;

  static constexpr const char* name = "budget";
  std::string directory_;
  Word max_bytes_ = 0;
};

}  // namespace ultradict
