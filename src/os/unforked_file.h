// SPDX-License-Identifier: Apache-2.0
// UnforkedFile: a file with a descriptor that children of fork do not get, for the locks of file_lock.h.
//
// Such a lock belongs to the open file, not to a process: a copy of the descriptor in an idle child would hold it for
// the child's whole life, though the parent has closed its own or is dead. So the child closes, before anything else,
// what the parent had open at that moment. Children that run no fork handlers, of a bare clone(2) or on the way from
// vfork to exec, do have copies; therefore close() gives the locks back before it closes.
//
// Thread safety: as File; forks at any moment. An open file is on a list, which a mutex guards that fork takes last of
// all: under it there are only a few system calls, and nobody else is waited for. So any mutex may be held meanwhile.
#pragma once

#include "base/fault.h"
#include "os/file.h"

namespace ultradict::os {

class UnforkedFile {
 public:
  UnforkedFile() = default;
  UnforkedFile(UnforkedFile&& other) noexcept { take_from(other); }
  UnforkedFile& operator=(UnforkedFile&& other) noexcept;
  ~UnforkedFile() { close(); }

  // As open_file and create_file.
  Fault open(const char* path);
  Fault create(const char* path, unsigned mode);

  explicit operator bool() const { return static_cast<bool>(file_); }
  operator const File&() const { return file_; }

  // Of file_lock.h, when it has locked a byte.
  void note_lock() { is_locked_ = true; }
  // The locks are free from here on, also for who has a copy of the descriptor.
  void close();
  // The locks stay as long as something else has the file: a mapping, or the parent of a child that did not run the
  // fork handlers.
  void close_keeping_locks();
  // From here on children do get it.
  File take();

  // The handlers of fork, if they are not there yet. Those that are added later do their work before a fork earlier,
  // and in the child later.
  static void prepare_for_forks();

 private:
  template <typename Open>
  Fault open_by(const Open& open);
  void take_from(UnforkedFile& other);
  void list();
  void unlist();
  static void after_fork_in_child();

  static UnforkedFile* listed_;
  UnforkedFile* next_ = nullptr;  // of the list
  File file_;
  bool is_locked_ = false;
};

// As long as there is one, no other thread forks: for what a fork must not cut in two. Never across a wait, and with
// nothing locked under it.
class NoFork {
 public:
  NoFork();
  ~NoFork();
  NoFork(const NoFork&) = delete;
  NoFork& operator=(const NoFork&) = delete;
};

}  // namespace ultradict::os
