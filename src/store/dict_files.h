// SPDX-License-Identifier: Apache-2.0
// DictFiles: the files of one dict by name: made, grown and removed. Nothing here is mapped.
//
// A number once used for a file is never used again, so a name that is there means the same for ever. What a writer
// makes before its change commits is named by nobody; if it dies, sweep() finds it.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/check.h"
#include "base/lock_held.h"
#include "layout.h"
#include "os/file.h"
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

  static std::string control() { return "control"; }
  static std::string slots(Word file) { return "slots-" + std::to_string(file); }
  static std::string segment(Word file) { return "segment-" + std::to_string(file); }
  static std::string entries(Word table, Word extent) {
    return "entries-" + std::to_string(table) + "-" + std::to_string(extent);
  }
  static std::string blob(Word sequence) { return "blob-" + std::to_string(sequence); }
  static std::string staged(LockWord writer, Word count) {
    return "staged-" + std::to_string(writer.number()) + "-" + std::to_string(writer.generation()) + "-" +
           std::to_string(count);
  }

  Fault open(const std::string& name, os::File* file) const { return os::open_file(path_of(name).c_str(), file); }
  // A left-over of that name is replaced.
  Fault create(LockHeld, const std::string& name, Word size, os::File* file) const;
  Fault grow(LockHeld, const std::string& name, Word from, Word to) const;
  void remove(const std::string& name) const { os::remove_file(path_of(name).c_str()); }
  // The same for what was taken from the budget.
  void remove(LockHeld, const std::string& name) const;
  void remove_entries(LockHeld, Word table) const;

  // A blob is written under a name of its writer's before the lock is taken, and renamed before its change commits.
  Fault create_staged(const std::string& name, os::File* file) const {
    return os::create_file(path_of(name).c_str(), mode_, file);
  }
  // The parts may be changed by others meanwhile: what is summed up is what is written.
  static Fault write_blob(const os::File& file, std::span<const Bytes> parts, Word* checksum);
  Fault publish_blob(LockHeld, const std::string& staged, Word sequence) const;
  Fault blob_size(Word sequence, Word* size) const;                    // not_found: no longer there
  Fault read_blob(Word sequence, char* destination, Word size) const;  // likewise
  Fault map_blob(Word sequence, Word size, const char** base) const;   // likewise; damaged if it is not that long
  Fault remove_blobs(LockHeld, Word from, Word to) const;              // of sequences in [from, to)

  Fault list(const std::function<void(const char* name)>& look) const;

 private:
  std::string path_of(const std::string& name) const { return path_ + "/" + name; }

  std::string path_;
  unsigned mode_ = 0600;
  MemoryBudget budget_;
};

}  // namespace ultradict
