// SPDX-License-Identifier: Apache-2.0
// The shared lock as Python code may wait for it: the interpreter lock is released meanwhile, and Ctrl-C is heard.
#pragma once

#include "errors.h"
#include "session.h"

namespace ultradict::python {

struct LockTerms {
  bool block = true;
  double timeout = -1;  // seconds; negative: for ever
  bool spin = false;
};

enum class Taken { yes, busy, timed_out, error };

// `*seconds_passed` is set when it timed out. error: an exception was raised; busy and timed_out raise nothing.
Taken take_lock(Session* session, const LockTerms& terms, double* seconds_passed);

// The second half of LockForWrite::acquire: someone else has the lock.
bool wait_for_lock(Session* session);

// Holds the shared lock for one operation; references that the cache lets go in it are dropped after it.
class LockForWrite final : HeldByThread {
 public:
  explicit LockForWrite(Session* session) noexcept : session_(session) {}
  ~LockForWrite() {
    if (is_unwound()) give_back();
    release();
  }

  // False with an exception raised. The session must be in Use: it may be closed while this waits.
  bool acquire() {
    const Status status = session_->engine.lock(Wait{0, false});
    if (!status && !waited(status)) return false;
    note_held();
    return true;
  }
  // The same for who has it, unless this is a child that was forked meanwhile.
  bool regain() {
    if (session_->engine.has_lock()) return true;
    if (held_) note_left();
    return acquire();
  }
  // Waits so many seconds at most, next time twice as long; it may be held then, or not. False with an exception.
  bool try_acquire(double* seconds);
  bool is_held() const noexcept { return held_; }
  void release() noexcept {
    if (!held_) return;
    note_left();
    (void)session_->engine.unlock();
  }

 private:
  // The child of a fork does not have the lock: there it is only counted.
  static void end_without_thread(Session* session) noexcept { --session->family->locked; }
  void give_back() noexcept override {
    if (std::exchange(held_, false)) (void)session_->engine.unlock();
  }
  void note_held() noexcept {
    ++session_->family->locked;
    held_ = true;
    entry_ = session_->module->under_way.enter(session_, end_without_thread);
  }
  void note_left() noexcept {
    held_ = false;
    --session_->family->locked;
    session_->module->under_way.leave(std::exchange(entry_, nullptr));
  }
  bool waited(const Status& status) {
    if (status.code() == Code::lock_busy || status.code() == Code::lock_timeout) return wait_for_lock(session_);
    return raise_status(session_, status), false;
  }

  Session* session_;
  UnderWay::Entry* entry_ = nullptr;  // while it is held
  bool held_ = false;
};

}  // namespace ultradict::python
