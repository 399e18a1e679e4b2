// SPDX-License-Identifier: Apache-2.0
#include "store/log.h"

#include <gtest/gtest.h>

#include <set>

#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

TEST(Log, RefsAreNeverReused) {
  const Scratch scratch;
  Dict dict = scratch.open();
  std::set<std::uint64_t> refs;
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    Sighting seen;
    ASSERT_TRUE(dict.put(Key{key(random.below(50))}, std::string(random.below(300), 'v'), &seen));
    ASSERT_TRUE(refs.insert(seen.ref).second) << i;
    ASSERT_EQ(seen.sequence, Ref{seen.ref}.position());
    if (i % 3000 == 0) {
      ASSERT_TRUE(dict.clear());
    }
    if (i % 1000 == 0) {
      ASSERT_TRUE(dict.clean());
    }
  }
}

TEST(Log, PositionsOnlyGrow) {
  const Scratch scratch;
  Dict dict = scratch.open();
  std::uint64_t last = dict.stats().tail_position;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    ASSERT_TRUE(dict.put(key(i % 20), std::string(i % 500, 'v')));
    const std::uint64_t now = dict.stats().tail_position;
    ASSERT_GT(now, last);
    last = now;
  }
}

TEST(Log, SegmentsAreReused) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (std::uint64_t i = 0; i < 100'000; ++i) ASSERT_TRUE(dict.put(key(i % 100), std::string(100, 'v')));
  EXPECT_LE(dict.stats().segments, 8U);
  EXPECT_EQ(orphans_of(dict), "");
  expect_sound(dict);
}

TEST(Log, WhatIsSetAsideStays) {
  const Scratch scratch;
  Options options = scratch.options();
  options.full_dump_size = 2'000'000;
  Dict dict = scratch.open("dict", options);
  const std::uint64_t size = dict.stats().log_size;
  EXPECT_GE(size, 2'000'000U);
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(dict.put(key(i % 40), std::string(1000, 'v')));
    ASSERT_GE(dict.stats().log_size, size) << i;
  }
  expect_sound(dict);
}

TEST(Log, NumberOfSegmentsStaysSmallForManyBytes) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string value(20'000, 'v');
  for (std::uint64_t i = 0; i < 5000; ++i) ASSERT_TRUE(dict.put(key(i), value));
  EXPECT_LE(dict.stats().segments, 120U);
  EXPECT_LE(dict.stats().log_size, dict.stats().live_size * 5 / 4 + 2'000'000);
  expect_sound(dict);
}

}  // namespace
}  // namespace ultradict::test
