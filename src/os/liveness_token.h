// SPDX-License-Identifier: Apache-2.0
// LivenessToken: this process as a participant of a directory: a number, a generation of that number, and the kernel's
// word for whether a participant still lives.
//
// One file per directory. The participant with number n holds an exclusive lock on byte n; the kernel drops it when the
// process dies, by whatever means, or execs. Process ids play no part in it: they are reused, and differ between
// namespaces.
//
// Thread safety: any. Fork: the child's first use claims a number of its own; it never holds its parent's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/fault.h"
#include "layout.h"
#include "os/file.h"
#include "os/file_lock.h"

namespace ultradict::os {

class LivenessToken {
 public:
  // The token of this process for `directory`, claimed if need be.
  static Fault of_directory(const std::string& directory, std::shared_ptr<LivenessToken>* token);
  ~LivenessToken();

  // Number and generation as a lock word names its owner; 0 in a child of fork that has not claimed its own yet.
  Word word() const { return __atomic_load_n(word_, __ATOMIC_RELAXED); }
  Fault claim_if_forked();

  // Dead: its byte is free, or its number has another generation by now. In doubt it lives, or is not known: damaged.
  Fault is_dead(LockWord owner, bool* dead) const;
  // As its owner saw itself; for messages only. 0 if unknown.
  std::int32_t pid_of(LockWord owner) const;
  const Word* id() const { return header_.id; }

 private:
  LivenessToken() = default;
  Fault open(const std::string& directory);
  Fault claim_in_child();
  Fault expect_own(const Fault& opening, const File& file) const;
  Fault open_own(File* file) const;
  Fault claim();
  Fault claim_number(Word number);
  Fault survives_its_descriptor(Word number, bool* survives) const;
  static Fault read_record(const File& file, Word number, TokenRecord* record);

  std::string path_;
  TokenHeader header_{};
  HeldByte byte_;
  Word* word_ = nullptr;  // in a page that the kernel zeroes in a forked child
};

}  // namespace ultradict::os
