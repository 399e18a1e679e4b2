// SPDX-License-Identifier: Apache-2.0
// FailingCalls: system calls of this process that fail as a test wants, with any error, once or always. The kernel
// hands each call of the chosen kinds back to the process (seccomp), which makes it or answers for it; so nothing of it
// is a stand-in for the engine's own code. There is no way back: only for a child. On x86-64 only.
#pragma once

#include <cstdint>

namespace ultradict::test {

bool can_fail_calls();

// In a child, once: these calls can be made to fail from now on.
void prepare_failing_calls();

// Calls of that kind fail until this ends: so many from the n-th on, which is 1 for the first; or it and all that
// follow.
class FailingCall {
 public:
  FailingCall(long call, int error, std::uint64_t number, bool and_all_after)
      : FailingCall(call, error, number, and_all_after ? ~std::uint64_t{0} : 1) {}
  FailingCall(long call, int error, std::uint64_t number, std::uint64_t count);
  ~FailingCall();
  FailingCall(const FailingCall&) = delete;
  FailingCall& operator=(const FailingCall&) = delete;
  static std::uint64_t failed();  // since the last one was made
};

// The n-th call of that kind is made only after the process was stopped (SIGSTOP) and goes on again.
class StoppingCall {
 public:
  StoppingCall(long call, std::uint64_t number);
  ~StoppingCall();
  StoppingCall(const StoppingCall&) = delete;
  StoppingCall& operator=(const StoppingCall&) = delete;
};

struct NamedCall {
  long number;
  const char* name;
};
// Those that can be made to fail.
inline constexpr int failing_calls_max = 21;
extern const NamedCall failing_calls[failing_calls_max];

}  // namespace ultradict::test
