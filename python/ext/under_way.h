// SPDX-License-Identifier: Apache-2.0
// UnderWay: something that a thread is in the midst of, and that is counted until it ends. All of them are in one list,
// so that a child of fork can end those of the threads that it does not have.
//
// Thread safety: everything needs the interpreter lock.
#pragma once

#include "ref.h"

namespace ultradict::python {

class UnderWay {
 public:
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

  // In a child of fork. The newest first: what began within another thing ends before it. May run Python code.
  static void end_those_of_other_threads(UnderWay*& list) noexcept {
    for (UnderWay* each = list; each != nullptr;) {
      if (each->thread_ == &this_thread) {
        each = each->next_;
        continue;
      }
      each->leave_list();
      each->end();
      each = list;
    }
  }

 protected:
  explicit UnderWay(UnderWay*& list) noexcept : thread_(&this_thread), next_(list), at_(&list) {
    if (next_ != nullptr) next_->at_ = &next_;
    list = this;
  }
  ~UnderWay() {
    if (!is_unwound()) leave_list();
  }

  // No longer under way, for whoever forks.
  void leave_list() noexcept {
    if (at_ == nullptr) return;
    *at_ = next_;
    if (next_ != nullptr) next_->at_ = at_;
    at_ = nullptr;
  }

 private:
  // Of one whose thread is not there: its destructor never runs.
  virtual void end() noexcept = 0;

  // Its address is the thread's, in a child of fork the same: to ask for it is one instruction.
  static inline constinit thread_local char this_thread __attribute__((tls_model("initial-exec"))) = 0;

  const char* thread_;
  UnderWay* next_;
  UnderWay** at_;  // what points here; null: it has left
};

}  // namespace ultradict::python
