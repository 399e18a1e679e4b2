// SPDX-License-Identifier: Apache-2.0
// DictFiles: the files of one dict by name: made, grown and removed. Nothing here is mapped.
//
// A number once used for a file is never used again, so a name that is there means the same for ever. What a writer
// makes before its change commits is named by nobody; if it dies, sweep() finds it.
#pragma once

#include <span>
#include <string>

#include "base/fault.h"
#include "base/function_ref.h"
#include "base/lock_held.h"
#include "layout.h"
#include "os/file.h"
#include "os/text.h"
#include "store/memory_budget.h"
#include "ultradict/bytes.h"

namespace ultradict {

class DictFiles {
 public:
  DictFiles() = default;
  DictFiles(std::string path, unsigned mode, Word max_bytes)
      : path_(std::move(path)), mode_(mode), budget_(path_, max_bytes) {}
  const std::string& path() const { return path_; }
  const MemoryBudget& budget() const { return budget_; }

  static const char* control() { return "control"; }
  static os::FileName slots(Word file) { return os::FileName("slots-%lu", file); }
  static os::FileName segment(Word file) { return os::FileName("segment-%lu", file); }
  static os::FileName entries(Word table, Word extent) { return os::FileName("entries-%lu-%lu", table, extent); }
  static os::FileName blob(Word sequence) { return os::FileName("blob-%lu", sequence); }
  static os::FileName staged(LockWord writer, Word count) {
    return os::FileName("staged-%lu-%lu-%lu", writer.number(), writer.generation(), count);
  }

  Fault open(const char* name, os::File* file) const { return os::open_file(path_of(name), file); }
  // A left-over of that name is replaced.
  Fault create(LockHeld, const char* name, Word size, os::File* file) const;
  Fault grow(LockHeld, const char* name, Word from, Word to) const;
  void remove(const char* name) const { os::remove_file(path_of(name)); }
  // The same for what was taken from the budget.
  void remove(LockHeld, const char* name) const;
  void remove_entries(LockHeld, Word table) const;

  // A blob is written under a name of its writer's before the lock is taken, and renamed before its change commits.
  Fault create_staged(const char* name, os::File* file) const;
  // What it has goes back to the budget in steps: nobody has mapped it.
  void remove_staged(LockHeld, const char* name) const;
  // The parts may be changed by others meanwhile: what is summed up is what is written.
  static Fault write_blob(const os::File& file, std::span<const Bytes> parts, Word* checksum);
  Fault publish_blob(LockHeld, const char* staged, Word sequence) const;
  Fault blob_size(Word sequence, Word* size) const;                    // not_found: no longer there
  Fault read_blob(Word sequence, char* destination, Word size) const;  // likewise
  Fault map_blob(Word sequence, Word size, const char** base) const;   // likewise; damaged if it is not that long
  Fault remove_blobs(LockHeld, Word from, Word to) const;              // of sequences in [from, to)

  Fault list(FunctionRef<void(const char* name)> look) const;

 private:
  os::Path path_of(const char* name) const { return {path_, name}; }

  std::string path_;
  unsigned mode_ = 0600;
  MemoryBudget budget_;
};

}  // namespace ultradict
