// SPDX-License-Identifier: Apache-2.0
// Process ids say nothing: they are given to strangers, and mean other processes in other namespaces. Writers whose
// ids are the same are killed and replaced, in one namespace and in three, while others wait for what they held: never
// do two hold the lock, and never is it left with the dead.
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <memory>
#include <thread>

#include "os/futex.h"
#include "os/system.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scale.h"
#include "support/scratch.h"
#include "support/stopwatch.h"

namespace ultradict::test {
namespace {

constexpr pid_t the_same_pid = 50;  // of every writer, in its namespace
// Nobody is stuck. How long it takes at best is for kill_storm_test.cc: here, a holder that lives may be kept from
// running by other programs, and who waits for it waits as long.
constexpr std::int64_t proceeds_at_last_within_ns = 10'000'000'000;

// What only one may be in at a time. All but `lives` is written inside.
struct Section {
  std::atomic<std::uint64_t> inside{0};  // which life
  std::atomic<std::uint64_t> count{0};
  std::atomic<std::uint64_t> lives{0};
  std::atomic<std::uint64_t> taken_over{0};
  std::atomic<std::uint64_t> kills{0};
  std::atomic<std::int64_t> wait_ns_max{0};
};

// In: nobody else is, or it died inside. The counter in the dict is one of the section, neither more nor less.
void pass_through(Dict& dict, Section& section, std::uint64_t life) {
  const Stopwatch stopwatch;
  require(dict.lock());
  section.wait_ns_max = std::max<std::int64_t>(section.wait_ns_max, stopwatch.elapsed_ns());
  std::int32_t dead = 0;
  const bool after_a_dead = dict.has_recovery() && dict.take_recovery(&dead);
  if (after_a_dead) ++section.taken_over;
  const std::uint64_t other = section.inside.exchange(life);
  require(other == 0 || after_a_dead);
  const std::uint64_t count = std::stoull(value_of(dict, "count"));
  require(count == section.count || (after_a_dead && count == section.count + 1));
  require(dict.put("count", std::to_string(count + 1)));
  section.count = count + 1;
  require(section.inside.exchange(0) == life);
  require(dict.unlock());
}

[[noreturn]] void pass_through_for_ever(Dict& dict, Section& section, std::atomic<std::uint64_t>& turns) {
  const std::uint64_t life = ++section.lives;
  for (;; ++turns) pass_through(dict, section, life);
}

// Makes the next process of this namespace get the wanted id.
void require_next_pid(pid_t pid) {
  std::ofstream file("/proc/sys/kernel/ns_last_pid");
  file << pid - 1;
  require(static_cast<bool>(file.flush()));
}

// Runs `body` as the first process of a pid namespace of its own.
std::unique_ptr<Child> in_namespace(const std::function<void()>& body) {
  return std::make_unique<Child>([body] {
    ::alarm(0);
    require(::unshare(CLONE_NEWPID) == 0);
    ::_exit(Child([&] {
              ::alarm(0);
              require(::getpid() == 1);
              body();
            }).wait());
  });
}

bool namespaces_are_permitted() {
  return in_child([] {
           if (::unshare(CLONE_NEWPID) != 0) ::_exit(1);
           require(in_child([] { require_next_pid(the_same_pid); }) == 0);
         }) == 0;
}

std::unique_ptr<Child> writer_with_the_same_pid(Dict& dict, Section& section, std::atomic<std::uint64_t>& turns) {
  require_next_pid(the_same_pid);
  auto writer = std::make_unique<Child>([&] { pass_through_for_ever(dict, section, turns); });
  require(writer->pid() == the_same_pid);
  return writer;
}

// Of so many kills, how many hit the one that has the lock before there were enough.
std::uint64_t enough_of(std::uint64_t kills) { return kills / 20 + 1; }

// Kills writers one after the other at random moments, each after turns of its own: beside others that are quick it
// would hardly have begun. On a busy machine more than `kills`, until enough of all had the lock.
void kill_again_and_again(Dict& dict, Section& section, std::uint64_t kills, std::uint64_t enough, std::uint64_t seed) {
  Random random(seed);
  const std::uint64_t kills_max = 20 * kills;
  for (std::uint64_t kill = 0; kill < kills || (section.taken_over < enough && kill < kills_max); ++kill) {
    ++section.kills;
    const SharedNote<std::atomic<std::uint64_t>> turns;
    const auto writer = writer_with_the_same_pid(dict, section, *turns);
    const std::int64_t begin = os::monotonic_ns();
    while (*turns < 2) {
      os::pause_ns(20'000);
      require(os::monotonic_ns() - begin < 20'000'000'000);  // else the lock is left with a dead one
    }
    os::pause_ns(static_cast<std::int64_t>(random.below(200'000)));
    require(writer->kill_and_wait() == -SIGKILL);
  }
}

class Namespaces : public testing::Test {
 protected:
  void SetUp() override {
    if (forks_are_slow()) GTEST_SKIP() << "thousands of forks";
    if (!namespaces_are_permitted()) GTEST_SKIP() << "pid namespaces are not permitted here";
    dict_ = scratch_.open();
    ASSERT_TRUE(dict_.put("count", "0"));
  }
  void report(const char* what) {
    EXPECT_EQ(in_child([&] { pass_through(dict_, *section_, ++section_->lives); }), 0);
    EXPECT_EQ(value_of(dict_, "count"), std::to_string(section_->count));
    expect_sound(dict_);
    std::printf(
        "%s: seed %llu, %llu kills, lock taken from a dead owner %llu times, never held by two in %llu turns; "
        "longest wait %.1f ms\n",
        what, static_cast<unsigned long long>(seed()), static_cast<unsigned long long>(section_->kills),
        static_cast<unsigned long long>(section_->taken_over), static_cast<unsigned long long>(section_->count),
        static_cast<double>(section_->wait_ns_max) / 1e6);
    EXPECT_GE(section_->taken_over, enough_of(kills_)) << "hardly any held the lock";
    EXPECT_LT(section_->wait_ns_max, proceeds_at_last_within_ns);
  }

  const std::uint64_t kills_ = scaled(60, 1'000);
  Scratch scratch_;
  Dict dict_;
  SharedNote<Section> section_;
};

// Beside it one writes all the time that is never killed.
TEST_F(Namespaces, B1_TheDeadOnesPidIsGivenToAStrangerThatWritesToo) {
  const auto first = in_namespace([&] {
    Child other([&] {
      ::alarm(0);
      std::atomic<std::uint64_t> turns{0};
      pass_through_for_ever(dict_, *section_, turns);
    });
    kill_again_and_again(dict_, *section_, kills_, enough_of(kills_), seed());
    require(other.kill_and_wait() == -SIGKILL);
  });
  ASSERT_EQ(first->wait(), 0);
  report("pids given to others");
}

TEST_F(Namespaces, B2_WritersOfOnePidInThreeNamespaces) {
  std::unique_ptr<Child> spaces[3];
  for (std::uint64_t i = 0; i < 3; ++i) {
    spaces[i] = in_namespace(
        [&, i] { kill_again_and_again(dict_, *section_, kills_ / 3 + 1, enough_of(kills_), seed() * 3 + i); });
  }
  for (const auto& space : spaces) EXPECT_EQ(space->wait(), 0);
  report("one pid in three namespaces");
}

// The holder and the one that waits for it cannot even see each other's pids, and have the same.
TEST_F(Namespaces, B3_HolderKilledInOneNamespaceWaiterInAnother) {
  Gate held;
  Gate waits;
  Gate passed;
  const auto of_holders = in_namespace([&] {
    for (std::uint64_t kill = 0; kill < kills_; ++kill) {
      require_next_pid(the_same_pid);
      Child holder([&] {
        require(dict_.lock());
        section_->inside = ++section_->lives;
        held.open();
        for (;;) ::pause();
      });
      waits.wait();
      require(holder.kill_and_wait() == -SIGKILL);
      ++section_->kills;
      passed.wait();
    }
  });
  const auto of_waiters = in_namespace([&] {
    for (std::uint64_t kill = 0; kill < kills_; ++kill) {
      held.wait();
      require_next_pid(the_same_pid);
      Child waiter([&] {
        waits.open();
        pass_through(dict_, *section_, ++section_->lives);
      });
      require(waiter.pid() == the_same_pid && waiter.wait() == 0);
      passed.open();
    }
  });
  EXPECT_EQ(of_holders->wait(), 0);
  EXPECT_EQ(of_waiters->wait(), 0);
  EXPECT_EQ(section_->taken_over, kills_);
  report("holder and waiter in two namespaces");
}

// The thread that holds the lock ends, and the next one of its process has its id.
TEST_F(Namespaces, C5_AThreadWithTheIdOfOneThatEndedTakesItsLock) {
  const auto first = in_namespace([&] {
    Dict own = scratch_.open("of the child");
    std::int32_t id = 0;
    std::thread([&] {
      require(own.lock());
      id = os::thread_id();
    }).join();
    require_next_pid(id);
    std::thread([&] {
      require(os::thread_id() == id);
      require(own.lock(Wait{5'000'000'000}));
      require(own.has_recovery());
      require(own.unlock());
    }).join();
  });
  EXPECT_EQ(first->wait(), 0);
}

}  // namespace
}  // namespace ultradict::test
