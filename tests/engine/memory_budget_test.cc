// SPDX-License-Identifier: Apache-2.0
#include "store/memory_budget.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <utility>

#include "support/child.h"
#include "support/content.h"
#include "support/failing_call.h"
#include "support/scratch.h"
#include "support/small_memory.h"

namespace ultradict::test {
namespace {

constexpr std::uint64_t bound = 2 << 20;

Options bounded(const Scratch& scratch, std::uint64_t max_bytes = bound) {
  Options options = scratch.options();
  options.max_bytes = max_bytes;
  return options;
}

// Bytes of memory that the files of all dicts there have, whatever they say of themselves.
std::uint64_t memory_of(const Scratch& scratch) {
  std::uint64_t sum = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.path() + "/d")) {
    if (entry.is_regular_file()) sum += (entry.file_size() + page_size - 1) / page_size * page_size;
  }
  return sum;
}

TEST(MemoryBudget, ABoundWithinAPageIsKept) {
  for (const std::uint64_t odd : {bound + 1, bound + page_size - 1}) {
    const Scratch scratch;
    Dict dict = scratch.open("dict", bounded(scratch, odd));
    EXPECT_EQ(memory_of(scratch), bound);
    while (dict.put("k" + std::to_string(dict.count()), std::string(20'000, 'x'))) {
    }
    EXPECT_LE(memory_of(scratch), bound);
    expect_sound(dict);
  }
}

TEST(MemoryBudget, D2_IsSetAsideAtCreationAndKept) {
  const Scratch scratch;
  Dict dict = scratch.open("dict", bounded(scratch));
  EXPECT_EQ(memory_of(scratch), bound);
  EXPECT_EQ(dict.options().max_bytes, bound);
  Status status;
  int count = 0;
  for (; status; ++count) {
    status = dict.put(key(count), std::string(static_cast<std::size_t>(count % 700), 'v'));
    ASSERT_LE(memory_of(scratch), bound) << count;
  }
  EXPECT_EQ(status.code(), Code::memory_full);
  EXPECT_NE(status.message().find("max_bytes=2097152"), std::string::npos) << status.message();
  EXPECT_GT(count, 1000);
  EXPECT_TRUE(dict.check().sound());
  for (int number = 0; number < count / 2; ++number) ASSERT_TRUE(dict.erase(key(number)));
  ASSERT_TRUE(dict.put("after", std::string(500, 'a')));
  EXPECT_TRUE(dict.check().sound());
  EXPECT_LE(memory_of(scratch), bound);
}

TEST(MemoryBudget, D1_LargeValuesComeOutOfItAndGoBack) {
  const Scratch scratch;
  Dict dict = scratch.open("dict", bounded(scratch));
  ASSERT_TRUE(dict.put("frame", std::string(400'000, 'f')));
  ASSERT_TRUE(dict.erase("frame"));
  const std::uint64_t before = dict.stats().free_bytes;
  for (int round = 0; round < 200; ++round) {
    ASSERT_TRUE(dict.put("frame", std::string(400'000, static_cast<char>('a' + round % 26)))) << round;
    ASSERT_LE(memory_of(scratch), bound);
  }
  EXPECT_LE(dict.stats().free_bytes, before - 400'000);
  ASSERT_TRUE(dict.erase("frame"));
  const std::uint64_t after = dict.stats().free_bytes;
  EXPECT_GE(after, before - 200'000);  // the log may have grown meanwhile
  EXPECT_EQ(dict.put("too large", std::string(bound, 'x')).code(), Code::memory_full);
  EXPECT_GE(dict.stats().free_bytes, after);
  EXPECT_EQ(orphans_of(dict), "");
}

TEST(MemoryBudget, D1_WithoutWaitingItIsLeftToWhoMayWait) {
  const Scratch scratch;
  Dict dict = scratch.open("dict", bounded(scratch, 1 << 16));
  ASSERT_TRUE(dict.put("k", "v"));
  Sighting seen;
  int count = 0;
  Status status;
  while ((status = dict.put(key(count), std::string(1000, 'v')))) ++count;
  ASSERT_EQ(status.code(), Code::memory_full);
  ASSERT_TRUE(dict.find("k", &seen, nullptr, nullptr));
  EXPECT_EQ(dict.try_put(Key{"new"}, std::string(1000, 'v'), nullptr).code(), Code::lock_busy);
  EXPECT_EQ(dict.try_put_at(&seen, std::string(1000, 'v')).code(), Code::lock_busy);
  EXPECT_EQ(dict.contains("new").code(), Code::not_found);
  EXPECT_EQ(value_of(dict, "k"), "v");
}

TEST(MemoryBudget, D1_AllOfItIsThereAgainAfterClear) {
  const Scratch scratch;
  Dict dict = scratch.open("dict", bounded(scratch));
  for (int round = 0; round < 5; ++round) {
    int count = 0;
    while (dict.put(key(count), std::string(count % 3 == 0 ? 50'000 : 300, 'v'))) ++count;
    ASSERT_GT(count, 100) << round;
    ASSERT_TRUE(dict.clear());
    ASSERT_TRUE(dict.check().sound());
  }
}

TEST(MemoryBudget, WhatADeadWriterTookIsFoundAgain) {
  const Scratch scratch;
  Dict dict = scratch.open("dict", bounded(scratch));
  const std::string value(1'200'000, 'x');
  EXPECT_EQ(in_child([&] {
              Dict own = scratch.open();
              const Bytes parts[] = {value};
              StagedValue staged;
              require(own.stage(parts, &staged));
              ::_exit(7);
            }),
            7);
  EXPECT_LT(dict.stats().free_bytes, value.size());
  ASSERT_TRUE(dict.put("k", value));  // there is room for one alone
  EXPECT_TRUE(dict.check().sound());
  EXPECT_LE(memory_of(scratch), bound);
}

TEST(MemoryBudget, D1_ThatCannotBeHadOrIsTooSmallIsRefused) {
  const Scratch scratch;
  Dict dict;
  EXPECT_EQ(Dict::open("dict", bounded(scratch, max_bytes_min - 1), &dict).code(), Code::invalid_argument);
  EXPECT_EQ(Dict::open("dict", bounded(scratch, std::uint64_t{1} << 50), &dict).code(), Code::memory_full);
  Options options = bounded(scratch, max_bytes_min);
  options.buffer_size = 1 << 20;
  EXPECT_EQ(Dict::open("dict", options, &dict).code(), Code::invalid_argument);
  EXPECT_EQ(dicts_in(scratch), 0);
  options.buffer_size = 10'000;
  ASSERT_TRUE(Dict::open("dict", options, &dict));
  EXPECT_TRUE(dict.put("k", "v"));
  EXPECT_EQ(memory_of(scratch), max_bytes_min);
}

// --- others take all memory there is ---

// A value that does something when it is first looked at. One at a time.
class StartlingValue {
 public:
  StartlingValue(std::size_t size, std::function<void()> startled) : size_(size) {
    base_ = static_cast<char*>(::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    require(base_ != MAP_FAILED);
    present = this;
    startled_ = std::move(startled);
    struct sigaction action {};
    action.sa_handler = [](int) { present->show(); };
    action.sa_flags = SA_NODEFER;
    require(::sigaction(SIGSEGV, &action, nullptr) == 0);
  }
  ~StartlingValue() { ::munmap(base_, size_); }
  StartlingValue(const StartlingValue&) = delete;
  StartlingValue& operator=(const StartlingValue&) = delete;
  Bytes bytes() const { return {base_, size_}; }

 private:
  void show() {
    if (::mprotect(base_, size_, PROT_READ | PROT_WRITE) != 0) ::_exit(8);
    if (std::exchange(is_shown_, true)) ::_exit(9);  // it was another address
    std::memset(base_, 'x', size_);
    startled_();
  }

  static StartlingValue* present;
  char* base_;
  std::size_t size_;
  bool is_shown_ = false;
  std::function<void()> startled_;
};
StartlingValue* StartlingValue::present = nullptr;

constexpr std::uint64_t large_bound = 8 << 20;
constexpr std::uint64_t large_size = 3 << 20;
constexpr std::uint64_t step_size = 64 * 1024;  // what may be lost at a time
constexpr std::uint64_t tries_of_a_step = 5;    // a half of it, and so on, to one page

TEST(MemoryBudget, D2_OthersTakeAllThereIsWhenALargeValueIsAboutToBeWritten) {
  const SmallMemory memory(16 << 20);
  if (!memory.is_there()) GTEST_SKIP() << "mounting is not permitted";
  Options options = memory.options();
  options.max_bytes = large_bound;
  EXPECT_EQ(in_child([&] {
              Dict dict;
              require(Dict::open("dict", options, &dict));
              require(dict.put("k", "v"));
              const std::uint64_t before = dict.stats().free_bytes;
              Gate taken, full;
              Child others([&] {
                taken.wait();
                memory.fill_up();
                full.open();
              });
              const StartlingValue value(large_size, [&] {
                taken.open();
                full.wait();
              });
              require(dict.put("large", value.bytes()));
              require(others.wait() == 0 && memory.free_pages() == 0);
              require(value_of(dict, "large") == value.bytes());
              require(dict.stats().free_bytes >= before - large_size - page_size);
              require(dict.put("small", "v"));
              require(dict.check().sound());
            }),
            0);
}

void with_failing_calls(const std::function<void(const Scratch&)>& body) {
  if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be made to fail here";
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              prepare_failing_calls();
              body(scratch);
            }),
            0);
}

// Whoever is faster once than a step, of which not even a page is there then, has that step at most, and the value is
// stored all the same.
TEST(MemoryBudget, D2_OthersThatAreFasterOnceHaveAStepOfIt) {
  with_failing_calls([](const Scratch& scratch) {
    const std::string value(large_size, 'x');
    std::uint64_t number = 1;
    std::uint64_t lost_steps = 0;
    for (std::uint64_t failed = 1; failed > 0; ++number) {
      Dict dict = scratch.open("dict" + std::to_string(number), bounded(scratch, large_bound));
      require(dict.put("k", value));
      const std::uint64_t before = dict.stats().free_bytes;
      {
        const FailingCall failing(SYS_fallocate, ENOSPC, number, tries_of_a_step);
        require(dict.put("k", value));
        failed = FailingCall::failed();
      }
      const std::uint64_t after = dict.stats().free_bytes;
      require(after + step_size >= before);
      lost_steps += after + step_size == before ? 1 : 0;
      require(dict.check().sound());
      require(dict.unlink());
    }
    require(lost_steps >= large_size / step_size - 1);
  });
}

// Whoever is faster again and again has a few. Then it is counted anew what is there, and tried once more.
TEST(MemoryBudget, D2_OthersThatAreFasterAgainAndAgainHaveAFewSteps) {
  with_failing_calls([](const Scratch& scratch) {
    Dict dict = scratch.open("dict", bounded(scratch, large_bound));
    require(dict.put("k", "v"));
    const std::uint64_t before = dict.stats().free_bytes;
    const std::string value(large_size, 'x');
    {
      const FailingCall failing(SYS_fallocate, ENOSPC, 10, 5 * tries_of_a_step);
      require(dict.put("large", value));
      require(FailingCall::failed() == 5 * tries_of_a_step);
    }
    require(dict.stats().free_bytes + large_size + page_size >= before);
    require(dict.check().sound());
  });
}

// A value that does not fit because others have what was set aside leaves what is left.
TEST(MemoryBudget, D2_AValueThatFindsNoMemoryGivesBackWhatItTook) {
  with_failing_calls([](const Scratch& scratch) {
    Dict dict = scratch.open("dict", bounded(scratch, large_bound));
    require(dict.put("k", "v"));
    const std::uint64_t before = dict.stats().free_bytes;
    const std::string value(large_size, 'x');
    for (const std::uint64_t number : {1, 7, 20}) {
      const FailingCall failing(SYS_ftruncate, EIO, number, false);
      require(!dict.put("large", value));
      require(FailingCall::failed() == 1);
      require(dict.stats().free_bytes + step_size >= before);
    }
    require(dict.put("large", value));
    require(dict.check().sound());
  });
}

// Both find room for themselves, and none for both: one of them is stored.
TEST(MemoryBudget, D2_OfTwoLargeValuesAtOnceOneFindsRoom) {
  const Scratch scratch;
  constexpr std::uint64_t size = 9 << 20;
  Dict dict = scratch.open("dict", bounded(scratch, 2 * size - (1 << 20)));
  const std::string value(size, 'x');
  for (int round = 0; round < (is_sanitized() ? 5 : 30); ++round) {
    SharedNote<int> stored;
    Gate begin;
    const auto write = [&](const char* name) {
      Dict own = scratch.open("dict", Create::never);
      begin.wait();
      const Status status = own.put(name, value);
      require(status || status.code() == Code::memory_full);
      if (status) __atomic_fetch_add(&*stored, 1, __ATOMIC_RELAXED);
    };
    Child first([&] { write("first"); });
    Child second([&] { write("second"); });
    begin.open();
    begin.open();
    ASSERT_EQ(first.wait(), 0);
    ASSERT_EQ(second.wait(), 0);
    ASSERT_EQ(*stored, 1) << round;
    ASSERT_TRUE(dict.clear());
    ASSERT_TRUE(dict.check().sound());
  }
}

// What is removed is the dict's again as far as it is there: here a view keeps it.
TEST(MemoryBudget, D2_D7_OfWhatIsRemovedAsMuchIsKeptAsThereIs) {
  const SmallMemory memory(4 << 20);
  if (!memory.is_there()) GTEST_SKIP() << "mounting is not permitted";
  Options options = memory.options();
  options.max_bytes = bound;
  Dict dict;
  ASSERT_TRUE(Dict::open("dict", options, &dict));
  ASSERT_TRUE(dict.put("large", std::string(1 << 20, 'x')));
  MappedValue mapped;
  ASSERT_TRUE(dict.map("large", &mapped));
  memory.fill_up(memory.free_pages() - 50);
  const std::uint64_t before = dict.stats().free_bytes;
  ASSERT_TRUE(dict.erase("large"));
  EXPECT_EQ(dict.stats().free_bytes, before + 50 * page_size);
  EXPECT_TRUE(mapped.bytes() == std::string(1 << 20, 'x'));
  mapped = MappedValue();
  EXPECT_EQ(dict.put("large", std::string(bound, 'x')).code(), Code::memory_full);  // it is counted anew
  EXPECT_GE(dict.stats().free_bytes, before + (1 << 20));
  EXPECT_TRUE(dict.check().sound());
}

// What is left may be more than a file of this process may have.
TEST(MemoryBudget, D9_IsUsedUnderASmallerFileSizeLimit) {
  const Scratch scratch;
  Dict dict = scratch.open("dict", bounded(scratch, large_bound));
  const std::string value(100'000, 'x');
  EXPECT_EQ(in_child([&] {
              const struct rlimit limit { 1 << 20, RLIM_INFINITY };
              require(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
              require(dict.put("large", value));
              for (int i = 0; i < 3000; ++i) require(dict.put(key(i), std::string(300, 's')));
              const std::uint64_t before = dict.stats().free_bytes;
              require(dict.put("too large", std::string(2 << 20, 'x')).code() == Code::memory_full);
              require(dict.stats().free_bytes == before);
            }),
            0);
  EXPECT_TRUE(value_of(dict, "large") == value);
  EXPECT_TRUE(dict.check().sound());
  EXPECT_LE(memory_of(scratch), large_bound);
}

}  // namespace
}  // namespace ultradict::test
