// SPDX-License-Identifier: Apache-2.0
// Poison: what only this code can get wrong is asserted, in every build. A failed assertion does not end the process,
// which is somebody's Python: it poisons the open dict. From then on this process changes nothing in it, and every
// operation says why. Others see what they would see had this process been killed.
//
// Thread safety: any. Set once, never cleared: the dict must be opened anew.
#pragma once

#include <atomic>

#include "base/fault.h"

namespace ultradict {

class Poison {
 public:
  // Whether it holds. `what`: a literal, the assumption in a few words.
  [[gnu::always_inline]] bool asserts(bool holds, const char* what) {
    if (holds) [[likely]]
      return true;
    const char* none = nullptr;
    what_.compare_exchange_strong(none, what);
    return false;
  }
  explicit operator bool() const { return what_.load(std::memory_order_relaxed) != nullptr; }
  Fault fault() const { return Fault::of(Code::internal, what_.load()); }

 private:
  std::atomic<const char*> what_ = nullptr;
};

}  // namespace ultradict
