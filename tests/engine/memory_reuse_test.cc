// SPDX-License-Identifier: Apache-2.0
// Memory that was used once is used again: after a dict was emptied, after a refusal, and where a full dict loses a few
// keys and gets others.
#include <gtest/gtest.h>

#include <vector>

#include "support/content.h"
#include "support/scratch.h"
#include "support/small_memory.h"

namespace ultradict::test {
namespace {

constexpr std::uint64_t mib = 1024 * 1024;

void put(Dict& dict, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t i = first; i < last; ++i) ASSERT_TRUE(dict.put(key(i), "value"));
}

// How many new keys the dict takes.
std::uint64_t fill(Dict& dict, std::size_t value_size = 10) {
  const std::string value(value_size, 'v');
  std::uint64_t count = 0;
  while (dict.put(key(count), value)) ++count;
  return count;
}

void empty(Dict& dict) {
  for (const std::string& each : keys_of(dict)) ASSERT_TRUE(dict.erase(each));
}

Dict bounded(const Scratch& scratch, std::uint64_t max_bytes, const char* name = "dict") {
  Options options = scratch.options();
  options.max_bytes = max_bytes;
  return scratch.open(name, options);
}

TEST(MemoryReuse, OfADictThatWasEmptiedIsInProportionToItsContent) {
  const Scratch scratch;
  Dict dict = scratch.open();
  put(dict, 0, 300'000);
  ASSERT_TRUE(dict.clear());
  EXPECT_LT(dict.stats().log_size, mib / 8);
  put(dict, 0, 20'000);
  EXPECT_LT(dict.stats().log_size, 4 * dict.stats().live_size + 4 * mib);
  for (std::uint64_t i = 0; i < 20'000; ++i) ASSERT_TRUE(dict.erase(key(i)));
  put(dict, 0, 10'000);
  EXPECT_LT(dict.stats().log_size, 4 * dict.stats().live_size + 4 * mib);
  EXPECT_EQ(unsoundness_of(dict), "");
}

// Keys come and go in bursts, and some stay: the dict is never empty.
TEST(MemoryReuse, OfADictThatLostNearlyAllIsInProportionToItsContent) {
  const Scratch scratch;
  Dict dict = scratch.open();
  put(dict, 0, 500'000);
  for (std::uint64_t i = 10'000; i < 500'000; ++i) ASSERT_TRUE(dict.erase(key(i)));
  for (int burst = 0; burst < 5; ++burst) {
    put(dict, 10'000, 40'000);
    EXPECT_LT(dict.stats().log_size, 4 * dict.stats().live_size + 4 * mib) << burst;
    for (std::uint64_t i = 10'000; i < 40'000; ++i) ASSERT_TRUE(dict.erase(key(i)));
  }
  EXPECT_EQ(unsoundness_of(dict), "");
}

// Sizes of records with which no free segment alone is the reserve.
TEST(MemoryReuse, OfAnySizesMakesFewFiles) {
  for (const std::uint64_t seed : {44U, 76U, 113U, 164U}) {
    const Scratch scratch;
    Dict dict = scratch.open();
    Random random(seed);
    const std::uint64_t keys = 100 + random.below(300);
    const std::uint64_t size_max = 1000 + random.below(31'000);
    Word before = ControlView(dict)->state.next_file;
    for (int i = 0; i < 4000; ++i) {
      const std::string changed = "k" + std::to_string(random.below(keys));
      if (random.below(3) == 0) {
        (void)dict.erase(changed);
      } else {
        ASSERT_TRUE(dict.put(changed, std::string(random.below(size_max), 'v')));
      }
      const Word now = ControlView(dict)->state.next_file;
      ASSERT_LE(now - before, 4U) << "seed " << seed << ", operation " << i;
      before = now;
    }
  }
}

// Wherever the tail is left when memory ends, what is behind it does not stay unused.
TEST(MemoryReuse, D1_OfASmallDictThatWasEmptiedIsAllOfIt) {
  for (const std::uint64_t max_bytes : {256U * 1024, 400'000U, 512U * 1024, 1024U * 1024}) {
    const Scratch scratch;
    Dict dict = bounded(scratch, max_bytes);
    const std::uint64_t expected = fill(dict, 3004);
    for (std::uint64_t puts = 0; puts < 100; ++puts) {
      empty(dict);
      for (std::uint64_t i = 0; i < puts; ++i) ASSERT_TRUE(dict.put("k", std::string(3004, 'v')) && dict.erase("k"));
      EXPECT_GE(fill(dict, 3004), expected * 9 / 10) << puts << " puts in " << max_bytes << " bytes";
    }
    EXPECT_EQ(unsoundness_of(dict), "");
  }
}

// Sizes as they come, and refusals on the way.
TEST(MemoryReuse, D1_OfASmallDictThatWasFullAndChangingIsAllOfIt) {
  for (const std::uint64_t max_bytes : {256U * 1024, 400'000U, 512U * 1024, 1024U * 1024}) {
    const Scratch scratch;
    Dict dict = bounded(scratch, max_bytes);
    const std::uint64_t expected = fill(dict, 1000);
    Random random(max_bytes);
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 500; ++i) {
        const std::string changed = key(random.below(expected));
        if (random.below(3) == 0 || !dict.put(changed, std::string(random.below(3000), 'v'))) (void)dict.erase(changed);
      }
      empty(dict);
      EXPECT_GE(fill(dict, 1000), expected * 8 / 10) << "round " << round << " in " << max_bytes << " bytes";
    }
    EXPECT_EQ(unsoundness_of(dict), "");
  }
}

TEST(MemoryReuse, D1_AfterABatchThatWasRefused) {
  const Scratch scratch;
  Dict fresh = bounded(scratch, 4 * mib, "fresh");
  const std::uint64_t expected = fill(fresh);
  Dict dict = bounded(scratch, 4 * mib);
  std::vector<std::string> keys;
  std::vector<Item> items;
  for (std::uint64_t i = 0; i < 10 * expected; ++i) keys.push_back("more" + std::to_string(i));
  for (const std::string& each : keys) items.push_back({Key{each}, "value"});
  EXPECT_EQ(dict.put_all(items).code(), Code::memory_full);
  EXPECT_GT(fill(dict), expected * 9 / 10);
  EXPECT_EQ(unsoundness_of(dict), "");
}

TEST(MemoryReuse, D1_OfAFileSystemThatIsFilledEmptiedAndFilledAgain) {
  const SmallMemory memory(20 * mib);
  if (!memory.is_there()) GTEST_SKIP() << "mounting is not permitted";
  Dict dict;
  ASSERT_TRUE(Dict::open("dict", memory.options(), &dict));
  const std::uint64_t expected = fill(dict);
  for (int round = 0; round < 4; ++round) {
    ASSERT_TRUE(dict.clear());
    EXPECT_GT(fill(dict), expected * 9 / 10) << round;
  }
  EXPECT_EQ(unsoundness_of(dict), "");
}

// A segment that begins with a page grows to its size: no more are made than of a dict that always had memory.
TEST(MemoryReuse, D1_OfMemoryThatComesPageByPageIsAllOfIt) {
  for (const std::size_t size : {300U, 1000U}) {
    const SmallMemory memory(4 * mib);
    if (!memory.is_there()) GTEST_SKIP() << "mounting is not permitted";
    Dict dict;
    ASSERT_TRUE(Dict::open("dict", memory.options(), &dict));
    memory.fill_up();
    std::uint64_t count = 0;
    for (int page = 0; page < 700; ++page) {
      while (dict.put(key(count), std::string(size, 'v'))) ++count;
      memory.give_back_page();
    }
    memory.empty();
    while (dict.put(key(count), std::string(size, 'v'))) ++count;
    EXPECT_LT(memory.free_pages() * page_size, mib / 2) << count << " values of " << size << " bytes";
    EXPECT_LT(dict.stats().segments, 40U);
    EXPECT_EQ(unsoundness_of(dict), "");
  }
}

TEST(MemoryReuse, D1_WhatAFullDictLosesItCanTakeAgain) {
  for (const std::size_t size : {10U, 1000U}) {
    for (const std::uint64_t every : {2U, 10U}) {
      const Scratch scratch;
      Dict dict = bounded(scratch, 24 * mib);
      const std::uint64_t count = fill(dict, size);
      std::uint64_t lost = 0;
      for (std::uint64_t i = 0; i < count; i += every, ++lost) ASSERT_TRUE(dict.erase(key(i)));
      std::uint64_t again = 0;
      while (dict.put("again" + std::to_string(again), std::string(size, 'v'))) ++again;
      EXPECT_GT(again, lost * 2 / 3) << "of values of " << size << " bytes every " << every << "th of " << count;
      EXPECT_EQ(unsoundness_of(dict), "");
    }
  }
}

TEST(MemoryReuse, D1_MoreThanThereIsIsNotSetAside) {
  const SmallMemory memory(4 * mib);
  if (!memory.is_there()) GTEST_SKIP() << "mounting is not permitted";
  Options options = memory.options();
  options.full_dump_size = 6 * mib;
  Dict dict;
  const Status status = Dict::open("dict", options, &dict);
  EXPECT_EQ(status.code(), Code::memory_full);
  EXPECT_NE(status.message().find("less than is to be set aside"), std::string::npos) << status.message();
}

TEST(MemoryReuse, D1_WhereNoSizeIsSaidThereIsEnoughToSetAside) {
  const SmallMemory memory(0);  // for tmpfs: as much as the machine has
  if (!memory.is_there()) GTEST_SKIP() << "mounting is not permitted";
  Options options = memory.options();
  options.full_dump_size = 6 * mib;
  Dict dict;
  EXPECT_TRUE(Dict::open("dict", options, &dict));
}

}  // namespace
}  // namespace ultradict::test
