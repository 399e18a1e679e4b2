// SPDX-License-Identifier: Apache-2.0
// Stopwatch: how long this thread was made to wait by what it called. The time in which it could have run, but the
// kernel gave the processor to others, is not counted: on a crowded machine that is the larger part, and no code of
// ours could shorten it.
#pragma once

#include <cstdint>

namespace ultradict::test {

inline constexpr std::int64_t millisecond = 1'000'000;  // in nanoseconds, as all times here

// A writer may be held up by the death of another for so long.
inline constexpr std::int64_t proceeds_within_ns = 250 * millisecond;

class Stopwatch {
 public:
  Stopwatch();
  std::int64_t elapsed_ns() const;

 private:
  std::int64_t begin_ns_;
  std::int64_t kept_from_running_ns_;
};

}  // namespace ultradict::test
