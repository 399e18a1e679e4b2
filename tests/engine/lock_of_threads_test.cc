// SPDX-License-Identifier: Apache-2.0
// Threads of one process that hold the lock of a dict, or end while they do.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"
#include "support/stopwatch.h"

namespace ultradict::test {
namespace {

TEST(LockOfThreads, C5_OfAThreadThatEndedIsTakenByOthersOfItsProcess) {
  const Scratch scratch;
  Dict dict = scratch.open();
  std::thread([&] {
    EXPECT_TRUE(dict.lock());
    EXPECT_TRUE(dict.lock());
    EXPECT_TRUE(dict.put("k", "v"));
  }).join();
  EXPECT_FALSE(dict.has_lock());
  EXPECT_EQ(dict.unlock().code(), Code::not_owner);
  EXPECT_EQ(in_child([&] { require(dict.lock(Wait{30 * millisecond}).code() == Code::lock_timeout); }), 0);
  EXPECT_TRUE(dict.owner().here);
  EXPECT_TRUE(dict.lock(Wait{5000 * millisecond}));
  EXPECT_TRUE(dict.unlock());
  EXPECT_EQ(dict.unlock().code(), Code::not_owner);
  EXPECT_EQ(value_of(dict, "k"), "v");
}

// It stays behind as a zombie for as long as its process lives.
TEST(LockOfThreads, C5_OfAMainThreadThatEndedIsTakenByOthersOfItsProcess) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              Dict own = scratch.open("of the child");
              require(own.lock());
              std::thread([&] {
                require(own.lock(Wait{5000 * millisecond}));
                require(own.put("k", "v"));
                ::_exit(0);
              }).detach();
              ::syscall(SYS_exit, 1);  // of this thread alone
            }),
            0);
}

TEST(LockOfThreads, C5_OfALivingThreadIsNeverTaken) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Gate holds;
  Gate ends;
  std::thread other([&] {
    EXPECT_TRUE(dict.lock());
    holds.open();
    ends.wait();
    EXPECT_TRUE(dict.has_lock());
    EXPECT_TRUE(dict.unlock());
  });
  holds.wait();
  EXPECT_EQ(dict.lock(Wait{100 * millisecond}).code(), Code::lock_timeout);
  ends.open();
  other.join();
  EXPECT_TRUE(dict.lock());
  // The child's only thread had another id in its parent.
  EXPECT_EQ(in_child([&] {
              Dict again = scratch.open("of the child");
              require(again.lock());
              std::thread([&] { require(again.lock(Wait{100 * millisecond}).code() == Code::lock_timeout); }).join();
              require(again.has_lock());
            }),
            0);
}

}  // namespace
}  // namespace ultradict::test
