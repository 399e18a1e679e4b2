// SPDX-License-Identifier: Apache-2.0
#include "store/dict_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>

#include "os/futex.h"
#include "support/child.h"
#include "support/content.h"
#include "support/holder.h"
#include "support/scratch.h"
#include "support/stopwatch.h"

namespace ultradict::test {
namespace {

std::uint64_t number_in(const Dict& dict, const std::string& key) { return std::stoull(value_of(dict, key)); }

void increment(Dict& dict, int times) {
  for (int i = 0; i < times; ++i) {
    const LockGuard guard(dict);
    require(guard.status());
    require(dict.put("counter", std::to_string(number_in(dict, "counter") + 1)));
  }
}

TEST(DictLock, IsReentrantThroughEveryHandle) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict other = scratch.open();
  ASSERT_TRUE(dict.lock());
  ASSERT_TRUE(other.lock());
  EXPECT_TRUE(other.try_lock());
  EXPECT_TRUE(dict.has_lock());
  EXPECT_TRUE(dict.owner().here);
  EXPECT_EQ(dict.owner().pid, ::getpid());
  ASSERT_TRUE(dict.unlock());
  ASSERT_TRUE(dict.unlock());
  EXPECT_TRUE(other.has_lock());
  ASSERT_TRUE(other.unlock());
  EXPECT_FALSE(dict.has_lock());
  EXPECT_EQ(dict.owner().number, 0U);
  EXPECT_EQ(dict.unlock().code(), Code::not_owner);
}

TEST(DictLock, ExcludesOtherThreadsOfTheProcess) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.lock());
  std::thread other([&] {
    EXPECT_FALSE(dict.has_lock());
    EXPECT_FALSE(dict.try_lock());
    EXPECT_EQ(dict.lock(Wait{0}).code(), Code::lock_busy);
    EXPECT_EQ(dict.lock(Wait{30 * millisecond}).code(), Code::lock_timeout);
    EXPECT_EQ(dict.lock(Wait{2 * millisecond, true}).code(), Code::lock_timeout);
    EXPECT_EQ(dict.unlock().code(), Code::not_owner);
    EXPECT_EQ(value_of(dict, "k").substr(0, 6), "(code ");
  });
  other.join();
  EXPECT_TRUE(dict.has_lock());
  EXPECT_TRUE(dict.unlock());
  EXPECT_EQ(dict.unlock().code(), Code::not_owner);
}

TEST(DictLock, B6_TimeoutNamesTheStoppedHolderAndNeverRobsIt) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", "v"));
  Gate go_on;
  const auto holder = holder_of(dict, [&] {
    go_on.wait();
    require(dict.has_lock());
    require(dict.put("k", "by the holder"));
    require(dict.unlock());
  });
  holder->stop();
  const std::int64_t begin = os::monotonic_ns();
  EXPECT_EQ(dict.lock(Wait{100 * millisecond}).code(), Code::lock_timeout);
  EXPECT_GE(os::monotonic_ns() - begin, 100 * millisecond);
  EXPECT_EQ(dict.owner().pid, holder->pid());
  EXPECT_FALSE(dict.owner().here);
  EXPECT_EQ(dict.lock(Wait{0}).code(), Code::lock_busy);
  EXPECT_EQ(summary_of(content_of(dict)), summary_of(Content{{"k", "v"}}));
  EXPECT_EQ(in_child([&] { require(value_of(scratch.open("dict", Create::never), "k") == "v"); }), 0);
  holder->signal(SIGCONT);
  go_on.open();
  EXPECT_EQ(holder->wait(), 0);
  EXPECT_TRUE(dict.lock(Wait{1000 * millisecond}));
  EXPECT_TRUE(dict.unlock());
  expect_content(dict, {{"k", "by the holder"}});
}

TEST(DictLock, A4_OfAKilledHolderIsTakenAtOnce) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (const Wait& wait :
       {Wait{}, Wait{0}, Wait{5 * millisecond}, Wait{1000 * millisecond}, Wait{Wait::forever, true}}) {
    const auto holder = holder_of(dict);
    EXPECT_EQ(dict.owner().pid, holder->pid());
    holder->kill_and_wait();
    const Stopwatch stopwatch;
    const Status status = dict.lock(wait);
    EXPECT_TRUE(status) << "timeout " << wait.timeout_ns << ": code " << static_cast<int>(status.code());
    EXPECT_LT(stopwatch.elapsed_ns(), proceeds_within_ns);
    if (!status) {
      ASSERT_TRUE(dict.lock());
    }
    EXPECT_TRUE(dict.unlock());
  }
  EXPECT_EQ(dict.stats().recoveries, 5U);
}

TEST(DictLock, A13_OfAZombieIsTaken) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const auto holder = holder_of(dict, [] { ::_exit(0); });
  siginfo_t info;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(holder->pid()), &info, WEXITED | WNOWAIT), 0);  // it stays a zombie
  EXPECT_TRUE(dict.lock(Wait{5'000 * millisecond}));
  EXPECT_TRUE(dict.unlock());
}

TEST(DictLock, A14_OfAProcessThatBecameAnotherProgramIsTaken) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const auto holder = holder_of(dict, [] { ::execl("/bin/sleep", "sleep", "100", nullptr); });
  EXPECT_TRUE(dict.lock(Wait{2000 * millisecond}));
  EXPECT_TRUE(dict.unlock());
}

TEST(DictLock, B5_SeveralThatWaitForADeadOwnerGetItOneByOne) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("counter", "0"));
  const auto holder = holder_of(dict);
  std::vector<std::unique_ptr<Child>> waiting;
  for (int i = 0; i < 5; ++i) waiting.push_back(std::make_unique<Child>([&] { increment(dict, 20); }));
  holder->kill_and_wait();
  for (const auto& child : waiting) EXPECT_EQ(child->wait(), 0);
  EXPECT_EQ(number_in(dict, "counter"), 100U);
  expect_sound(dict);
}

TEST(DictLock, ProcessesCountExactly) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("counter", "0"));
  const int times = is_sanitized() ? 300 : 5000;
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(std::make_unique<Child>([&] {
      Dict own = scratch.open("dict", Create::never);
      increment(own, times);
    }));
  }
  for (const auto& child : children) EXPECT_EQ(child->wait(), 0);
  EXPECT_EQ(number_in(dict, "counter"), 4U * static_cast<unsigned>(times));
  expect_sound(dict);
}

TEST(DictLock, ThreadsCountExactly) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("counter", "0"));
  const int times = is_sanitized() ? 300 : 5000;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { increment(dict, times); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(number_in(dict, "counter"), 4U * static_cast<unsigned>(times));
  expect_sound(dict);
}

TEST(DictLock, ChildOfForkDoesNotHoldItsParentsLock) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.lock());
  EXPECT_EQ(in_child([&] {
              require(!dict.has_lock());
              require(!dict.owner().here);
              require(dict.unlock().code() == Code::not_owner);
              require(!dict.try_lock());
              require(dict.lock(Wait{0}).code() == Code::lock_busy);
              require(dict.lock(Wait{30 * millisecond}).code() == Code::lock_timeout);
              require(dict.close());
            }),
            0);
  EXPECT_TRUE(dict.has_lock());
  Child waiting([&] {
    require(dict.put("k", "by the child"));
    require(dict.lock());
    require(dict.owner().pid == ::getpid() && dict.owner().here);
    require(dict.unlock());
  });
  ASSERT_TRUE(dict.put("k", "by the parent"));
  EXPECT_TRUE(dict.unlock());
  EXPECT_EQ(waiting.wait(), 0);
  expect_content(dict, {{"k", "by the child"}});
}

TEST(DictLock, C2_ForkWhileAnotherThreadHoldsIt) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Gate locked;
  Gate forked;
  std::thread holder([&] {
    EXPECT_TRUE(dict.lock());
    locked.open();
    forked.wait();
    EXPECT_TRUE(dict.unlock());
  });
  locked.wait();
  Child child([&] { require(dict.put("k", "v")); });
  forked.open();
  holder.join();
  EXPECT_EQ(child.wait(), 0);
  expect_content(dict, {{"k", "v"}});
}

TEST(DictLock, ClosingTheLastHandleGivesItBack) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              ::alarm(10);
              Dict dict = scratch.open();
              require(dict.lock());
              require(dict.lock());
              require(dict.close());
              Dict again = scratch.open();
              require(again.put("k", "v"));
              require(again.lock());
              require(in_child([&] {
                        ::alarm(5);
                        require(scratch.open().lock(Wait{50 * millisecond}).code() == Code::lock_timeout);
                      }) == 0);
              again = Dict();
              require(in_child([&] {
                        ::alarm(5);
                        require(scratch.open().put("k", "w"));
                      }) == 0);
            }),
            0);
}

TEST(DictLock, ClosingOneOfTwoHandlesKeepsIt) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict other = scratch.open();
  ASSERT_TRUE(dict.lock());
  ASSERT_TRUE(dict.close());
  EXPECT_TRUE(other.has_lock());
  EXPECT_TRUE(other.unlock());
}

TEST(DictLock, B8_SurvivesUserCodeThatClosesEveryDescriptor) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Gate gate;
  Child holder([&] {
    Dict own = scratch.open("dict", Create::never);
    require(own.lock());
    for (int descriptor = 3; descriptor < 256; ++descriptor) {
      const bool is_pipe = ::lseek(descriptor, 0, SEEK_CUR) < 0 && errno == ESPIPE;  // the gate
      if (!is_pipe) ::close(descriptor);
    }
    require(own.put("k", "v"));
    gate.open();
    wait_to_be_killed();
  });
  gate.wait();
  EXPECT_EQ(dict.lock(Wait{60 * millisecond}).code(), Code::lock_timeout);
  EXPECT_EQ(dict.owner().pid, holder.pid());
  holder.kill_and_wait();
  EXPECT_TRUE(dict.put("k", "w"));
}

TEST(DictLock, B14_NobodyStarvesBesideAGreedyWriter) {
  const Scratch scratch;
  Dict dict = scratch.open();
  SharedNote<std::atomic<bool>> stop;
  Gate greedy_runs;
  Child greedy([&] {
    greedy_runs.open();
    while (!stop->load()) {
      require(dict.lock());
      for (int i = 0; i < 50; ++i) require(dict.put("greedy", "v"));
      require(dict.unlock());
    }
  });
  greedy_runs.wait();
  std::vector<std::unique_ptr<Child>> others;
  for (int i = 0; i < 7; ++i) {
    others.push_back(std::make_unique<Child>([&] {
      for (int round = 0; round < 5; ++round) {
        const Stopwatch stopwatch;
        require(dict.put("modest", "v"));
        require(stopwatch.elapsed_ns() < 1000 * millisecond);
      }
    }));
  }
  for (const auto& child : others) EXPECT_EQ(child->wait(), 0);
  stop->store(true);
  EXPECT_EQ(greedy.wait(), 0);
}

// Unless that one was not asleep just then: then nobody is woken, and it is free.
TEST(DictLock, IsLeftToTheOneThatStarves) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  ASSERT_TRUE(dict.lock());
  Child starving([&] {
    require(dict.lock());
    wait_to_be_killed();
  });
  wait_until([&] { return (shared::load(control->lock) & LockWord::starving) != 0; });
  ASSERT_TRUE(dict.unlock());
  const bool was_asleep = shared::load(control->lock) != 0;
  while (dict.owner().pid != starving.pid()) EXPECT_FALSE(was_asleep && dict.try_lock());
  starving.kill_and_wait();
  EXPECT_TRUE(dict.lock(Wait{2000 * millisecond}));
  EXPECT_TRUE(dict.unlock());
}

TEST(DictLock, IsLeftToNobodyWhoGaveUp) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  ASSERT_TRUE(dict.lock());
  Child starving([&] { require(dict.lock(Wait{50 * millisecond}).code() == Code::lock_timeout); });
  EXPECT_EQ(starving.wait(), 0);
  EXPECT_NE(shared::load(control->lock) & LockWord::starving, 0U);
  ASSERT_TRUE(dict.unlock());
  EXPECT_EQ(shared::load(control->lock), 0U);
  EXPECT_TRUE(dict.try_lock());
  EXPECT_TRUE(dict.unlock());
}

// It may have been killed meanwhile: who comes waits one turn, no longer.
TEST(DictLock, LeftToADeadOneIsTakenByTheNext) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  shared::store(control->lock, LockWord::starving | LockWord::waiters);
  EXPECT_FALSE(dict.try_lock());
  EXPECT_TRUE(dict.put("k", "v"));
  EXPECT_EQ(shared::load(control->lock), 0U);
}

TEST(DictLock, B15_GarbageInTheWordIsNoOwner) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  for (const Word garbage : {Word{1} << 30, Word{3} << 30, Word{77} << 32 | 4711, Word{5} << 32}) {
    shared::store(control->lock, garbage);
    EXPECT_TRUE(dict.lock(Wait{2000 * millisecond})) << garbage;
    EXPECT_TRUE(dict.unlock());
    EXPECT_TRUE(dict.put("k", "v"));
  }
  shared::store(control->lock, LockWord::number_mask);
  EXPECT_EQ(dict.lock(Wait{100 * millisecond}).code(), Code::damaged);
}

}  // namespace
}  // namespace ultradict::test
