// SPDX-License-Identifier: Apache-2.0
#include "store/cleaning.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "support/child.h"
#include "support/content.h"
#include "support/mappings.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

TEST(Cleaning, DeadBytesStayBoundedOverTwoMillionOverwrites) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const int overwrites = is_sanitized() ? 200'000 : 2'000'000;
  std::vector<std::string> keys;
  for (std::uint64_t i = 0; i < 20'000; ++i) keys.push_back(key(i));
  Random random(7);
  for (int i = 0; i < overwrites; ++i) {
    ASSERT_TRUE(dict.put(keys[random.below(keys.size())], "value of some size"));
    if (i % 50'000 != 0) continue;
    const Stats stats = dict.stats();
    ASSERT_LE(stats.dead_size, stats.live_size / 2 + 2 * 256 * 1024 + stats.live_size / 8);
    ASSERT_LE(stats.log_size, 2 * stats.live_size + 2'000'000);
  }
  expect_sound(dict);
  EXPECT_EQ(orphans_of(dict), "");
  EXPECT_GT(dict.stats().moved_records, 0U);
}

TEST(Cleaning, MemoryIsFlatForOneHotKey) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const auto write = [&](int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(dict.put("hot", std::string(static_cast<std::size_t>(i % 90), 'v')));
  };
  write(50'000);
  const std::uint64_t size = dict.stats().log_size;
  write(is_sanitized() ? 50'000 : 10'000'000);
  EXPECT_LE(dict.stats().log_size, size);
  EXPECT_LE(dict.stats().log_size, 1'200'000U);
  expect_sound(dict);
}

TEST(Cleaning, ColdKeysBesideAHotOneAreKept) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Content expected;
  for (std::uint64_t i = 0; i < 500; ++i) expected.emplace_back(key(i), marked_value(key(i), i, 200));
  for (const auto& [cold, value] : expected) ASSERT_TRUE(dict.put(cold, value));
  for (int i = 0; i < 60'000; ++i) ASSERT_TRUE(dict.put(expected[250].first, expected[250].second));
  expect_content(dict, expected);
}

TEST(Cleaning, G3_MovedRecordKeepsSequenceAndBirth) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(dict.put(key(i), "v"));
  Sighting before;
  ASSERT_TRUE(dict.put(Key{"watched"}, "kept", &before));
  for (std::uint64_t i = 0; i < 100; i += 2) ASSERT_TRUE(dict.erase(key(i)));
  Sighting seen = before;
  ASSERT_TRUE(dict.clean());
  ASSERT_FALSE(seen.current()) << "clean() did not move it";
  Buffer buffer;
  Record record;
  bool moved = false;
  ASSERT_TRUE(dict.reread(&seen, &buffer, &record, &moved));
  EXPECT_TRUE(moved);
  EXPECT_TRUE(seen.current());
  EXPECT_NE(seen.ref, before.ref);
  EXPECT_EQ(seen.sequence, before.sequence);
  EXPECT_EQ(seen.born, before.born);
}

TEST(Cleaning, CleanLeavesOnlyWhatLives) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (std::uint64_t i = 0; i < 5000; ++i) ASSERT_TRUE(dict.put(key(i), std::string(300, 'v')));
  for (std::uint64_t i = 0; i < 5000; ++i) {
    if (i % 10 != 0) {
      ASSERT_TRUE(dict.erase(key(i)));
    }
  }
  const Content content = content_of(dict);
  ASSERT_TRUE(dict.clean());
  EXPECT_EQ(dict.stats().dead_size, 0U);
  EXPECT_LT(dict.stats().log_size, 1'200'000U);
  expect_content(dict, content);
  ASSERT_TRUE(dict.clean());
  expect_content(dict, content);
  EXPECT_EQ(orphans_of(dict), "");
}

TEST(Cleaning, H3_OfNothingAndOfAllDead) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.clean());
  for (std::uint64_t i = 0; i < 2000; ++i) ASSERT_TRUE(dict.put(key(i), std::string(300, 'v')));
  for (std::uint64_t i = 0; i < 2000; ++i) ASSERT_TRUE(dict.erase(key(i)));
  ASSERT_TRUE(dict.clean());
  EXPECT_EQ(dict.stats().live_size, 0U);
  EXPECT_EQ(dict.stats().dead_size, 0U);
  expect_content(dict, {});
}

TEST(Cleaning, H3_OneRecordLargerThanAllOthersIsMoved) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string large_key(1'500'000, 'k');
  ASSERT_TRUE(dict.put("dead", std::string(20'000, 'd')));
  ASSERT_TRUE(dict.put(large_key, "v"));
  ASSERT_TRUE(dict.put("a", "1"));
  ASSERT_TRUE(dict.erase("dead"));
  ASSERT_TRUE(dict.clean());
  ASSERT_TRUE(dict.erase("a"));
  ASSERT_TRUE(dict.clean());
  ASSERT_TRUE(dict.clean());
  expect_content(dict, {{large_key, "v"}});
  EXPECT_EQ(dict.stats().dead_size, 0U);
}

TEST(Cleaning, EveryProcessGoesOnWhereTheLastStopped) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Content expected;
  for (std::uint64_t i = 0; i < 300; ++i) expected.emplace_back(key(i), "");
  for (int round = 0; round < 12; ++round) {
    const auto write = [&](Dict& own) {
      for (auto& [name, value] : expected) {
        value = marked_value(name, static_cast<std::uint64_t>(round), 400);
        require(own.put(name, value));
      }
    };
    if (round % 2 == 0) {
      ASSERT_EQ(in_child([&] { write(dict); }), 0);
    }
    write(dict);
  }
  expect_content(dict, expected);
}

// Each of them goes on with what another one began.
TEST(Cleaning, H2_ProcessesThatCleanAtOnceLoseNothing) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Content expected;
  for (std::uint64_t i = 0; i < 200; ++i) expected.emplace_back(key(i), "");
  SharedNote<std::atomic<bool>> stop;
  SharedNote<std::array<std::atomic<std::uint64_t>, 2>> cleaned;
  const auto clean = [&](std::size_t which) {
    Dict own = scratch.open("dict", Create::never);
    for (; !stop->load(); ++(*cleaned)[which]) require(own.clean());
  };
  Child first([&] { clean(0); });
  Child second([&] { clean(1); });
  const auto all_cleaned = [&] { return (*cleaned)[0] >= 300 && (*cleaned)[1] >= 300; };
  for (std::uint64_t round = 0; round < 20 || !all_cleaned(); ++round) {
    for (auto& [name, value] : expected) {
      value = marked_value(name, round, 20 + round % 600);
      ASSERT_TRUE(dict.put(name, value));
    }
  }
  stop->store(true);
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  expect_content(dict, expected);
  EXPECT_EQ(orphans_of(dict), "");
}

TEST(Cleaning, H4_AViewSurvivesAThousandCleanings) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string large = marked_value("k", 0, 100'000);
  ASSERT_TRUE(dict.put("k", large));
  MappedValue view;
  ASSERT_TRUE(dict.map("k", &view));
  EXPECT_EQ(in_child([&] {
              Dict own = scratch.open("dict", Create::never);
              for (std::uint64_t i = 1; i <= 1000; ++i) {
                require(own.put("k", marked_value("k", i, i % 10 == 0 ? 40'000 : 400)));
                require(own.put(key(i % 50), marked_value(key(i % 50), i, 3000)));
                require(own.clean());
              }
            }),
            0);
  EXPECT_EQ(view.bytes(), large);
  EXPECT_TRUE(view.is_intact());
  EXPECT_EQ(value_of(dict, "k"), marked_value("k", 1000, 40'000));
  EXPECT_GE(mapped_deleted_size(scratch.path()), large.size());
  view = MappedValue();
  ASSERT_TRUE(dict.put("k", ""));
  EXPECT_EQ(mapped_deleted_size(scratch.path()), 0U);
}

}  // namespace
}  // namespace ultradict::test
