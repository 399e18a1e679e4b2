// SPDX-License-Identifier: Apache-2.0
#include "os/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bit>

namespace ultradict::os {

static_assert(std::endian::native == std::endian::little, "the low half of a word comes first");

void futex_wait(const std::uint64_t& word, std::uint32_t expected, std::int64_t timeout_ns) {
  const struct timespec timeout { timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000 };
  ::syscall(SYS_futex, &word, FUTEX_WAIT, expected, &timeout, nullptr, 0);
}

bool futex_wake_one(const std::uint64_t& word) {
  return ::syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0) > 0;
}

std::int64_t monotonic_ns() {
  struct timespec now {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void pause_ns(std::int64_t duration) {
  const struct timespec time { duration / 1'000'000'000, duration % 1'000'000'000 };
  ::nanosleep(&time, nullptr);
}

}  // namespace ultradict::os
