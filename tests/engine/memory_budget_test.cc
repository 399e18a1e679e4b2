// SPDX-License-Identifier: Apache-2.0
#include "store/memory_budget.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

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

std::string key(int number) { return "k" + std::to_string(number); }

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

}  // namespace
}  // namespace ultradict::test
