// SPDX-License-Identifier: Apache-2.0
#include "os/file_lock.h"

#include <algorithm>

#include "memory/files.h"

namespace ultradict::os {

namespace {

std::vector<memory::ByteLock>& locks_of(const File& file) {
  return memory::Files::instance().node(file.descriptor()).locks;
}

}  // namespace

Fault is_locked(const File& file, Size byte, LockKind kind, bool* locked) {
  *locked = std::ranges::any_of(locks_of(file), [&](const memory::ByteLock& lock) {
    const bool excludes = lock.kind == LockKind::exclusive || kind == LockKind::exclusive;
    return lock.byte == byte && lock.descriptor != file.descriptor() && excludes;
  });
  return {};
}

// A lock that the file has already becomes one of this kind.
Fault try_lock_byte(UnforkedFile& file, Size byte, LockKind kind) {
  const int descriptor = static_cast<const File&>(file).descriptor();
  bool locked = false;
  (void)is_locked(file, byte, kind, &locked);
  if (locked) return Fault::of(Code::lock_busy);
  std::vector<memory::ByteLock>& locks = locks_of(file);
  std::erase_if(locks,
                [&](const memory::ByteLock& lock) { return lock.byte == byte && lock.descriptor == descriptor; });
  locks.push_back({descriptor, byte, kind});
  file.note_lock();
  return {};
}

void unlock_bytes(const File& file) {
  std::erase_if(locks_of(file), [&](const memory::ByteLock& lock) { return lock.descriptor == file.descriptor(); });
}

// Nobody else is there who could let go of it.
Fault lock_byte(UnforkedFile& file, Size byte, LockKind kind) {
  const Fault fault = try_lock_byte(file, byte, kind);
  return fault.code == Code::lock_busy ? Fault::of(Code::lock_timeout) : fault;
}

bool HeldByte::descriptor_needed = true;

namespace {
char holding = 0;
}

Fault HeldByte::keep(UnforkedFile file, bool) {
  page_ = &holding;
  file_ = std::move(file);
  return {};
}

void HeldByte::release() {
  page_ = nullptr;
  file_.close();
}

void HeldByte::forget() { release(); }

}  // namespace ultradict::os
