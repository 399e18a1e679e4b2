// SPDX-License-Identifier: Apache-2.0
// The clock on the wall is set by people: no wait may depend on it. In this program each look at it finds it an hour
// earlier or later than the one before.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"
#include "support/stopwatch.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they have a clock_gettime of their own

namespace {

std::atomic<bool> jumps{false};
std::atomic<long> looks{0};

}  // namespace

// In place of the one of libc, for all of this program.
extern "C" int clock_gettime(clockid_t id, struct timespec* now) noexcept {
  const auto failed = static_cast<int>(::syscall(SYS_clock_gettime, id, now));
  const bool is_wall_clock = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
  if (is_wall_clock && jumps) now->tv_sec += ++looks % 2 != 0 ? 3600 : -3600;
  return failed;
}

namespace ultradict::test {
namespace {

std::int64_t now_ns() {
  struct timespec now {};
  ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

TEST(WallClock, B13_StepsOfAnHourChangeNoWait) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Gate held;
  Child holder([&] {
    require(dict.lock());
    held.open();
    for (;;) ::pause();
  });
  held.wait();
  jumps = true;
  looks = 0;
  for (const std::int64_t wait : {30 * millisecond, 100 * millisecond}) {
    for (const bool spins : {false, true}) {
      const std::int64_t begin = now_ns();
      EXPECT_EQ(dict.lock(Wait{wait, spins}).code(), Code::lock_timeout);
      EXPECT_GE(now_ns() - begin, wait);
    }
  }
  holder.kill_and_wait();
  EXPECT_TRUE(dict.lock(Wait{5'000 * millisecond}));
  EXPECT_TRUE(dict.put("k", "v"));
  EXPECT_TRUE(dict.unlock());
  EXPECT_EQ(looks, 0) << "somebody asked the clock on the wall";
  struct timespec now {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  EXPECT_EQ(looks, 1) << "it did not jump";
  jumps = false;
}

}  // namespace
}  // namespace ultradict::test

#endif
