// SPDX-License-Identifier: Apache-2.0
#include "os/unforked_file.h"

#include <mutex>
#include <utility>

#include "os/file_lock.h"
#include "os/fork.h"

namespace ultradict::os {

namespace {

std::mutex forking;  // guards the list; never destroyed, for it has nothing to destroy

}  // namespace

NoFork::NoFork() {
  UnforkedFile::prepare_for_forks();
  forking.lock();
}

NoFork::~NoFork() { forking.unlock(); }

UnforkedFile* UnforkedFile::listed_ = nullptr;

void UnforkedFile::prepare_for_forks() {
  [[maybe_unused]] static const bool prepared =
      (at_fork_first([] { forking.lock(); }, [] { forking.unlock(); }, after_fork_in_child), true);
}

// The threads that used them do not exist here. Their locks are the parent's, and stay.
void UnforkedFile::after_fork_in_child() {
  while (UnforkedFile* file = listed_) {
    listed_ = std::exchange(file->next_, nullptr);
    file->file_.close();
    file->is_locked_ = false;
  }
  forking.unlock();
}

void UnforkedFile::list() { next_ = std::exchange(listed_, this); }

// There are about as many as threads that open or leave a dict at this moment.
void UnforkedFile::unlist() {
  UnforkedFile** place = &listed_;
  while (*place != this) place = &(*place)->next_;
  *place = std::exchange(next_, nullptr);
}

// A fork sees it neither open nor listed, or both.
template <typename Open>
Fault UnforkedFile::open_by(const Open& open) {
  close();
  const NoFork guard;
  const Fault fault = open(&file_);
  if (!fault) list();
  return fault;
}

Fault UnforkedFile::open(const char* path) {
  return open_by([path](File* file) { return open_file(path, file); });
}

Fault UnforkedFile::create(const char* path, unsigned mode) {
  return open_by([path, mode](File* file) { return create_file(path, mode, file); });
}

UnforkedFile& UnforkedFile::operator=(UnforkedFile&& other) noexcept {
  close();
  take_from(other);
  return *this;
}

void UnforkedFile::take_from(UnforkedFile& other) {
  const NoFork guard;
  if (!other.file_) return;
  other.unlist();
  file_ = std::move(other.file_);
  is_locked_ = std::exchange(other.is_locked_, false);
  list();
}

void UnforkedFile::close() {
  if (is_locked_) unlock_bytes(file_);
  close_keeping_locks();
}

void UnforkedFile::close_keeping_locks() {
  if (!file_) return;
  const NoFork guard;
  unlist();
  file_.close();
  is_locked_ = false;
}

File UnforkedFile::take() {
  const NoFork guard;
  if (file_) unlist();
  is_locked_ = false;
  return std::move(file_);
}

}  // namespace ultradict::os
