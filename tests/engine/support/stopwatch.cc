// SPDX-License-Identifier: Apache-2.0
#include "support/stopwatch.h"

#include <fstream>

#include "os/futex.h"

namespace ultradict::test {

namespace {

// The second number: nanoseconds that the thread waited for a processor.
std::int64_t kept_from_running_ns() {
  std::ifstream file("/proc/thread-self/schedstat");
  std::int64_t ran = 0;
  std::int64_t waited = 0;
  return file >> ran >> waited ? waited : 0;
}

}  // namespace

Stopwatch::Stopwatch() : begin_ns_(os::monotonic_ns()), kept_from_running_ns_(kept_from_running_ns()) {}

std::int64_t Stopwatch::elapsed_ns() const {
  const std::int64_t kept = kept_from_running_ns() - kept_from_running_ns_;
  return os::monotonic_ns() - begin_ns_ - kept;
}

}  // namespace ultradict::test
