// SPDX-License-Identifier: Apache-2.0
// What can befall a lock from outside its own code: holders and waiters that end in every way there is, participant
// numbers that are used up or used again, kernels without the locks it relies on, words that nobody wrote.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "base/shared_atomic.h"
#include "store/dict_lock.h"
#include "support/child.h"
#include "support/content.h"
#include "support/holder.h"
#include "support/memory_group.h"
#include "support/refused_calls.h"
#include "support/scratch.h"
#include "support/stopwatch.h"

namespace ultradict::test {
namespace {

char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(')');
  return end == line.npos ? '?' : line[end + 2];
}

void unlock(Dict& dict) { require(dict.unlock()); }

// A child that waits for the lock, has it, and ends; asleep when this returns.
std::unique_ptr<Child> sleeper_for(Dict& dict, const ControlView& control, void (*then)(Dict&) = unlock) {
  auto child = std::make_unique<Child>([&dict, then] {
    ::alarm(10);
    require(dict.lock());
    then(dict);
  });
  wait_until([&] { return (shared::load(control->lock) & LockWord::waiters) != 0 && state_of(child->pid()) == 'S'; });
  return child;
}

void expect_taken_at_once(Dict& dict) {
  const Stopwatch stopwatch;
  ASSERT_TRUE(dict.lock(Wait{5'000 * millisecond}));
  EXPECT_LT(stopwatch.elapsed_ns(), proceeds_within_ns);
  EXPECT_TRUE(dict.unlock());
}

TEST(LockFaults, A6_TheOneThatADeadOwnerDidNotWakeProceeds) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  Gate asleep;
  const auto holder = holder_of(dict, [&] {
    asleep.wait();
    shared::exchange(control->lock, 0);  // as give_to_waiters does, and then it dies
    ::kill(::getpid(), SIGKILL);
  });
  const auto sleeper = sleeper_for(dict, control);
  asleep.open();
  EXPECT_EQ(holder->wait(), -SIGKILL);
  const Stopwatch stopwatch;
  EXPECT_EQ(sleeper->wait(), 0);
  EXPECT_LT(stopwatch.elapsed_ns(), proceeds_within_ns);
}

// The wake goes to one of the two, who dies of it: first the one that waits longer, as a rule.
TEST(LockFaults, A7_TheOthersProceedWhenTheWokenOneDies) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(dict.lock());
    const auto first = sleeper_for(dict, control, [](Dict&) { ::raise(SIGKILL); });
    const auto second = sleeper_for(dict, control);
    ASSERT_TRUE(dict.unlock());
    ASSERT_EQ(first->wait(), -SIGKILL);
    const Stopwatch stopwatch;
    ASSERT_EQ(second->wait(), 0);
    EXPECT_LT(stopwatch.elapsed_ns(), proceeds_within_ns);
  }
  ASSERT_NO_FATAL_FAILURE(expect_taken_at_once(dict));
}

TEST(LockFaults, A12_OfAHolderThatRanOutOfMemoryIsTaken) {
  const MemoryGroup group(32 * 1024 * 1024);
  if (!group.is_there()) GTEST_SKIP() << "no memory group may be made here";
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", "before"));
  Gate joined;
  const auto holder = holder_of(dict, [&] {
    require(dict.put("k", "by the holder"));
    joined.wait();
    for (;;) {
      void* memory =
          ::mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
      require(memory != MAP_FAILED);
    }
  });
  ASSERT_TRUE(group.take_in(holder->pid()));
  joined.open();
  EXPECT_EQ(holder->wait(), -SIGKILL);
  ASSERT_NO_FATAL_FAILURE(expect_taken_at_once(dict));
  expect_content(dict, {{"k", "by the holder"}});
  EXPECT_EQ(dict.stats().recoveries, 1U);
}

TEST(LockFaults, A14_OfAHolderThatEndsInAnyWayIsTaken) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::function<void()> ends[] = {[] { ::_exit(3); }, [] { ::abort(); }, [] { ::kill(::getpid(), SIGTERM); },
                                        [] { ::execl("/bin/true", "true", nullptr); }};
  std::uint64_t recoveries = 0;
  for (const auto& end : ends) {
    const auto holder = holder_of(dict, [&] {
      require(dict.put("k", std::to_string(recoveries)));
      end();
      wait_to_be_killed();
    });
    (void)holder->wait();
    ASSERT_NO_FATAL_FAILURE(expect_taken_at_once(dict));
    expect_content(dict, {{"k", std::to_string(recoveries)}});
    EXPECT_EQ(dict.stats().recoveries, ++recoveries);
  }
}

TEST(LockFaults, B4_OfADeadHolderIsTakenAlthoughItsNumberIsUsedAgain) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const auto holder = holder_of(dict);
  const Owner dead = dict.owner();
  holder->kill_and_wait();
  Gate claimed;
  const Child stranger([&] {
    Dict other = scratch.open("other");
    require(other.lock());  // by the number that the dead one had
    require(other.owner().number == dead.number && other.owner().generation != dead.generation);
    claimed.open();
    wait_to_be_killed();
  });
  claimed.wait();
  EXPECT_EQ(dict.owner().number, dead.number);
  EXPECT_EQ(dict.owner().pid, 0) << "the stranger is taken for the owner";
  ASSERT_NO_FATAL_FAILURE(expect_taken_at_once(dict));
}

// All ask at the same moment whether the owner lives, find it dead, and swap its word for theirs: one succeeds.
TEST(LockFaults, B5_OfSeveralThatStealAtOnceOneSucceeds) {
  if (forks_are_slow()) GTEST_SKIP() << "hundreds of forks";
  struct Race {
    std::atomic<int> round{0};
    std::atomic<int> inside{0};
    std::atomic<int> passed{0};
  };
  constexpr int stealers = 4;
  const int rounds = is_sanitized() ? 100 : 800;
  const Scratch scratch;
  Dict dict = scratch.open();
  SharedNote<Race> race;
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < stealers; ++i) {
    children.push_back(std::make_unique<Child>([&] {
      for (int round = 1; round <= rounds; ++round) {
        wait_until([&] { return race->round >= round; });
        wait_until([&] { return static_cast<bool>(dict.lock(Wait{0})); });
        require(++race->inside == 1);
        std::this_thread::yield();  // to another one, which may be here as well
        require(--race->inside == 0);
        require(dict.unlock());
        ++race->passed;
      }
      wait_until([&] { return race->round > rounds; });  // who ends before is one that failed
    }));
  }
  for (int round = 1; round <= rounds; ++round) {
    holder_of(dict)->kill_and_wait();
    race->round = round;
    const auto has_failed = [](const auto& child) { return state_of(child->pid()) == 'Z'; };
    wait_until([&] { return race->passed == stealers * round || std::ranges::any_of(children, has_failed); });
    ASSERT_EQ(race->passed, stealers * round) << "two held it in round " << round;
  }
  race->round = rounds + 1;
  for (const auto& child : children) EXPECT_EQ(child->wait(), 0);
}

TEST(LockFaults, B9_IsKeptWhateverElseOpensAndClosesTheFiles) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Gate closed;
  const auto holder = holder_of(dict, [&] {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.path())) {
      const int file = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
      if (file < 0) continue;
      (void)::lockf(file, F_TEST, 0);
      (void)::close(file);
    }
    closed.open();
    wait_to_be_killed();
  });
  closed.wait();
  EXPECT_EQ(dict.lock(Wait{60 * millisecond}).code(), Code::lock_timeout);
  EXPECT_EQ(dict.owner().pid, holder->pid());
  holder->kill_and_wait();
  ASSERT_NO_FATAL_FAILURE(expect_taken_at_once(dict));
}

// The file that says who lives may go with the directory, and come again with other participants in it: of an owner
// nothing is known then. Who waits is told so, and takes nothing.
TEST(LockFaults, B9_OfALivingHolderIsNotTakenWhenTheTokenFileWasReplaced) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Gate may_leave;
  SharedNote<Code> left;
  const auto holder = holder_of(dict, [&] {
    may_leave.wait();
    *left = dict.unlock().code();
  });
  std::filesystem::remove(scratch.path() + "/token");
  for (const bool is_there_again : {false, true}) {
    if (is_there_again) {
      EXPECT_EQ(in_child([&] { (void)scratch.open("another"); }), 0);
    }
    const Status status = dict.lock(Wait{5'000 * millisecond});
    EXPECT_EQ(status.code(), Code::damaged) << is_there_again;
    EXPECT_NE(status.message().find("token file"), std::string::npos) << status.message();
    EXPECT_EQ(dict.owner().pid, 0) << "of another participant";
  }
  EXPECT_EQ(in_child([&] { require(dict.put("k", "v").code() == Code::damaged); }), 0) << "it has no number";
  may_leave.open();
  EXPECT_EQ(holder->wait(), 0);
  EXPECT_EQ(*left, Code::ok);
  EXPECT_TRUE(dict.put("k", "v"));
}

TEST(LockFaults, B11_WithoutLocksOfOpenFilesItIsRefusedClearly) {
  for (const int error : {EINVAL, ENOSYS}) {
    const Scratch scratch;
    const int status = in_child([&] {
      if (!refuse_open_file_locks(error)) ::_exit(77);
      Dict dict;
      const Status opening = Dict::open("dict", scratch.options(), &dict);
      require(opening.code() == Code::unsupported);
      require(opening.message().find("open file description locks") != std::string::npos);
      require(!dict.is_open());
    });
    if (status == 77) GTEST_SKIP() << "system calls cannot be refused here";
    EXPECT_EQ(status, 0) << "error " << error;
    EXPECT_TRUE(scratch.open().put("k", "v"));
    EXPECT_EQ(dicts_in(scratch), 1U);
  }
}

// Locks all participant numbers but the first ones, as so many processes would.
class AllNumbers {
 public:
  AllNumbers(const Scratch& scratch, int first)
      : file_(::open((scratch.path() + "/token").c_str(), O_RDWR | O_CLOEXEC)) {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = first;
    range.l_len = static_cast<off_t>(participants_max) - first + 1;
    EXPECT_EQ(::fcntl(file_, F_OFD_SETLK, &range), 0);
  }
  ~AllNumbers() { ::close(file_); }
  AllNumbers(const AllNumbers&) = delete;
  AllNumbers& operator=(const AllNumbers&) = delete;

 private:
  int file_;
};

TEST(LockFaults, B12_WithoutAFreeParticipantNumberItIsRefusedClearly) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", "v"));
  {
    const AllNumbers all(scratch, 2);
    EXPECT_EQ(in_child([&] {
                Dict other;
                const Status opening = Dict::open("other", scratch.options(), &other);
                require(opening.code() == Code::os_error);
                require(opening.message().find("participant numbers") != std::string::npos);
                require(dict.put("k", "w").code() == Code::os_error);
                require(value_of(dict, "k") == "v");
              }),
              0);
    EXPECT_TRUE(dict.put("k", "still")) << "who has a number goes on";
  }
  EXPECT_EQ(in_child([&] { require(dict.put("k", "again")); }), 0);
  expect_content(dict, {{"k", "again"}});
}

// Every single bit, and words of all kinds: an answer each time, and none but an error or the lock.
TEST(LockFaults, B15_GarbageInTheWordIsAnsweredOrRecovered) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  const auto is_answered = [&](Word garbage) {
    shared::store(control->lock, garbage);
    const Code locking = dict.lock(Wait{2000 * millisecond}).code();
    ASSERT_TRUE(locking == Code::ok || locking == Code::damaged) << garbage << ": " << static_cast<int>(locking);
    EXPECT_EQ(locking == Code::damaged, LockWord{garbage}.number() > participants_max) << garbage;
    if (locking == Code::ok) {
      EXPECT_TRUE(dict.unlock());
      EXPECT_TRUE(dict.put("k", "v"));
    } else {
      EXPECT_EQ(dict.put("k", "v").code(), Code::damaged);
      EXPECT_EQ(value_of(dict, "k"), "v") << "who reads is not concerned";
      EXPECT_NE(dict.lock(Wait{0}).code(), Code::ok);
    }
    shared::store(control->lock, 0);
  };
  ASSERT_TRUE(dict.put("k", "v"));
  for (int bit = 0; bit < 64; ++bit) is_answered(Word{1} << bit);
  for (const Word garbage : {~Word{0}, Word{participants_max}, Word{participants_max} + 1, Word{1} << 30 | 5}) {
    is_answered(garbage);
  }
  Random random(15);
  for (int i = 0; i < 40; ++i) is_answered(random.next() & ~(Word{0xff} << 16));
  expect_sound(dict);
}

// It may be true: who is said to hold it lives.
TEST(LockFaults, B15_AWordThatNamesALivingProcessIsLeftToIt) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  SharedNote<Word> word;
  Gate noted;
  Child living([&] {
    require(dict.lock());
    *word = LockWord{shared::load(control->lock)}.owner();
    require(dict.unlock());
    noted.open();
    wait_to_be_killed();
  });
  noted.wait();
  shared::store(control->lock, *word);
  EXPECT_EQ(dict.lock(Wait{100 * millisecond}).code(), Code::lock_timeout);
  EXPECT_EQ(dict.owner().pid, living.pid());
  living.kill_and_wait();
  ASSERT_NO_FATAL_FAILURE(expect_taken_at_once(dict));
}

}  // namespace
}  // namespace ultradict::test
