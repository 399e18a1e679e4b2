// SPDX-License-Identifier: Apache-2.0
// Byte locks that belong to an open file (OFD locks): unlike classic record locks they are not lost when something else
// in the process closes the same file.
//
// A lock outlives its descriptor as long as the open file is mapped: HeldByte locks a byte, maps a page and closes the
// descriptor. So the lock goes when the mapping goes: by release(), by exit, kill or exec, and by nothing else that
// user code may do to descriptors.
//
// Only an UnforkedFile can be locked: no child of fork holds a lock by a descriptor that it happened to inherit.
#pragma once

#include "base/fault.h"
#include "os/unforked_file.h"

namespace ultradict::os {

enum class LockKind { shared, exclusive };

// Takes the lock if it is free; lock_busy if it is not.
Fault try_lock_byte(UnforkedFile& file, Size byte, LockKind kind);
// Waits, at most for a few seconds (a holder that is stopped must not stop us): then lock_timeout.
Fault lock_byte(UnforkedFile& file, Size byte, LockKind kind);
// Gives back all that the open file has locked, whoever else has a descriptor or a mapping of it.
void unlock_bytes(const File& file);
// Whether some other open file holds the byte in a way that excludes `kind`.
Fault is_locked(const File& file, Size byte, LockKind kind, bool* locked);

class HeldByte {
 public:
  HeldByte() = default;
  HeldByte(const HeldByte&) = delete;
  HeldByte& operator=(const HeldByte&) = delete;
  ~HeldByte() { release(); }

  // Takes over `file`, on which the byte is locked already. inherited = false: a child of fork does not hold it.
  Fault keep(UnforkedFile file, bool inherited);
  void release();
  // In a forked child, of a lock that was not inherited: the mapping is not there; there is nothing to release.
  void forget();
  bool held() const { return page_ != nullptr; }

  // Set, before the first use, where the kernel drops a lock with its descriptor although the file is mapped.
  static bool descriptor_needed;

 private:
  char* page_ = nullptr;
  // Only where the kernel drops a lock with its descriptor:
  UnforkedFile file_;
  File inherited_file_;
};

}  // namespace ultradict::os
