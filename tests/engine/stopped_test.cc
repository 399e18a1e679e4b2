// SPDX-License-Identifier: Apache-2.0
// Processes that are stopped (SIGSTOP) between two system calls, where others must not depend on them; and one whose
// calls fail just then.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>

#include "base/shared_atomic.h"
#include "support/child.h"
#include "support/content.h"
#include "support/failing_call.h"
#include "support/holder.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

class Stopped : public testing::Test {
 protected:
  void SetUp() override {
    if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be held up here";
  }

  static void wait_until_stopped(const Child& child) {
    int status = 0;
    ASSERT_EQ(::waitpid(child.pid(), &status, WUNTRACED), child.pid());
    ASSERT_TRUE(WIFSTOPPED(status)) << status;
  }

  const Scratch scratch_;
};

// The number that a killed owner of the lock had is claimed anew by somebody who has nothing to do with the dict.
TEST_F(Stopped, B4_WhoClaimsTheNumberOfADeadOwner) {
  const Dict dict = scratch_.open();
  Gate locked;
  Child owner([&] {
    Dict own = scratch_.open("dict", Create::never);
    require(own.lock());
    locked.open();
    for (;;) ::pause();
  });
  locked.wait();
  owner.kill_and_wait();
  Child newcomer([&] {
    prepare_failing_calls();
    const StoppingCall stopping(SYS_pwrite64, 1);
    scratch_.open("another");
  });
  wait_until_stopped(newcomer);
  Dict again = scratch_.open("dict", Create::never);
  EXPECT_TRUE(again.lock(Wait{10'000'000'000}));
  EXPECT_TRUE(again.unlock());
  newcomer.signal(SIGCONT);
  EXPECT_EQ(newcomer.wait(), 0);
}

// It may stay so for hours: its ref is 0, and the rest of the deletion is to come.
TEST_F(Stopped, G1_WhoDeletesAKeyKeepsNobodyWaitingThatSawIt) {
  Dict dict = scratch_.open();
  ASSERT_TRUE(dict.put("k", "v"));
  Sighting seen;
  Buffer buffer;
  Record record;
  ASSERT_TRUE(dict.find("k", &seen, &buffer, &record));
  const auto holder = holder_of(dict);
  shared::store(reinterpret_cast<Word&>(const_cast<std::atomic<std::uint64_t>&>(*seen.ref_word)), 0);
  bool moved = false;
  EXPECT_EQ(dict.reread(&seen, &buffer, &record, &moved).code(), Code::changed);
}

// Whoever leaves takes him for somebody who is attached, and leaves the files to him.
TEST_F(Stopped, F5_WhoAttachesWhileTheLastOneLeaves) {
  Gate created;
  Child newcomer([&] {
    created.wait();
    prepare_failing_calls();
    const StoppingCall stopping(SYS_readlink, 2);  // the first finds the dict, this one asks if it is still that
    Dict own;
    require(Dict::open("dict", scratch_.options(Create::never), &own).code() == Code::no_such_dict);
  });
  Dict dict = scratch_.open("dict", scratch_.mortal());
  ASSERT_TRUE(dict.put("large", std::string(100'000, 'x')));
  created.open();
  wait_until_stopped(newcomer);
  ASSERT_TRUE(dict.close());
  EXPECT_FALSE(exists(scratch_));
  newcomer.signal(SIGCONT);
  EXPECT_EQ(newcomer.wait(), 0);
  EXPECT_EQ(dicts_in(scratch_), 0U);
}

TEST_F(Stopped, D5_ACallThatFailsInUnlinkTakesNothingFromTheAttached) {
  const std::string large(100'000, 'x');
  for (std::uint64_t number = 1, failed = 1; failed > 0; ++number) {
    ASSERT_LT(number, 100U);
    Dict dict = scratch_.open("dict", Create::if_missing);
    ASSERT_TRUE(dict.put("large", large));
    SharedNote<std::uint64_t> count;
    EXPECT_EQ(in_child([&] {
                prepare_failing_calls();
                const FailingCall failing(SYS_openat, EMFILE, number, std::uint64_t{1});
                (void)Dict::unlink("dict", scratch_.path());
                *count = FailingCall::failed();
              }),
              0);
    failed = *count;
    EXPECT_EQ(value_of(dict, "large"), large) << number;
    expect_sound(dict);
  }
}

}  // namespace
}  // namespace ultradict::test
