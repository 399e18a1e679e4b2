// SPDX-License-Identifier: Apache-2.0
// Looks at what other processes may replace each time just before it is fetched: a large value, a nested dict. After
// many looks writers are kept out by the lock. Who keeps that lock may be stopped, but then nobody writes either: after
// every short wait there is another look without it.
#pragma once

#include "locking.h"

namespace ultradict::python {

class Looks {
 public:
  Looks(Session* session, int unlocked_max = 64) noexcept : lock_(session), left_(unlocked_max) {}

  // Before each look. False with an exception.
  bool begin() {
    if (left_ > 0) return --left_, true;
    return lock_.try_acquire(&wait_);
  }
  // Nobody can write meanwhile: what is not there now is nowhere.
  bool is_last() const noexcept { return lock_.is_held(); }

 private:
  LockForWrite lock_;
  int left_;
  double wait_ = 0.001;  // seconds
};

}  // namespace ultradict::python
