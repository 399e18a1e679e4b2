// SPDX-License-Identifier: Apache-2.0
// Fault: how an inner function says what went wrong. Two words and a literal, so that it can be made under the lock,
// where nothing is allocated; report.h turns it into the Status that callers see.
#pragma once

#include <cstdint>

#include "ultradict/status.h"

namespace ultradict {

struct [[nodiscard]] Fault {
  Code code = Code::ok;
  int error = 0;               // errno, for os_error, forbidden and memory_full
  const char* what = nullptr;  // a literal: what was done, or which invariant is broken
  std::uint64_t seen = 0;      // the number that broke it
  std::uint64_t bound = 0;     // and what it should have respected

  constexpr explicit operator bool() const { return code != Code::ok; }

  static constexpr Fault none() { return {}; }
  static constexpr Fault of(Code code, const char* what = nullptr) { return Fault{code, 0, what, 0, 0}; }
  static constexpr Fault damaged(const char* what, std::uint64_t seen = 0, std::uint64_t bound = 0) {
    return Fault{Code::damaged, 0, what, seen, bound};
  }
};

}  // namespace ultradict
