// SPDX-License-Identifier: Apache-2.0
#include "store/clear.h"

#include <gtest/gtest.h>

#include "support/child.h"
#include "support/content.h"
#include "support/mappings.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

void fill(Dict& dict, int count, std::size_t size) {
  for (int i = 0; i < count; ++i) ASSERT_TRUE(dict.put("k" + std::to_string(i), std::string(size, 'v')));
}

TEST(Clear, EmptyDictStaysEmpty) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.clear());
  ASSERT_TRUE(dict.clear());
  expect_content(dict, {});
}

TEST(Clear, TheLastOfAFewKeysGivesALargeLogBack) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 100, 30'000);
  ASSERT_GT(dict.stats().log_size, 3'000'000U);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(dict.erase("k" + std::to_string(i)));
  EXPECT_LT(dict.stats().log_size, 1'000'000U);
  expect_content(dict, {});
}

TEST(Clear, TheLastKeyLeavesAboutAMebibyteOfLogBehindHoweverMuchThereWas) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (const int count : {500, 1000, 2000}) {
    fill(dict, count, 30'000);
    for (int i = 0; i < count; ++i) ASSERT_TRUE(dict.erase("k" + std::to_string(i)));
    EXPECT_LT(dict.stats().log_size, 1'500'000U) << count;
  }
  expect_content(dict, {});
}

TEST(Clear, WhatIsSetAsideIsNotMuchToLeaveBehind) {
  const Scratch scratch;
  Options options = scratch.options();
  options.full_dump_size = 5'000'000;
  Dict dict = scratch.open("dict", options);
  const std::uint64_t table = dict.table_word().load();
  fill(dict, 100, 30'000);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(dict.erase("k" + std::to_string(i)));
  EXPECT_EQ(dict.table_word().load(), table);
}

TEST(Clear, DictIsUsedAsBefore) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (int round = 0; round < 5; ++round) {
    fill(dict, 300 * (round + 1), 50);
    ASSERT_TRUE(dict.put("blob", std::string(50'000, 'b')));
    ASSERT_TRUE(dict.clear());
    expect_content(dict, {});
    EXPECT_EQ(orphans_of(dict), "");
    ASSERT_TRUE(dict.put("k1", "anew"));
    expect_content(dict, {{"k1", "anew"}});
  }
}

TEST(Clear, GivesMemoryBack) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 8000, 1000);
  EXPECT_GT(dict.stats().log_size, 8'000'000U);
  ASSERT_TRUE(dict.clear());
  EXPECT_LT(dict.stats().log_size, 2'500'000U);
  EXPECT_EQ(orphans_of(dict), "");
}

TEST(Clear, NoMemoryIsHeldByAProcessThatOnlyWrites) {
  const Scratch scratch;
  Dict dict = scratch.open();
  std::uint64_t after_two = 0;
  for (int round = 0; round < 10; ++round) {
    fill(dict, 2000, 1000);
    ASSERT_TRUE(dict.clear());
    dict.release_old_tables();
    if (round == 1) after_two = mapped_deleted_size(scratch.path());
  }
  EXPECT_LE(mapped_deleted_size(scratch.path()), after_two + 1'000'000) << "mappings of files that are gone pile up";
}

TEST(Clear, SightingsFromBeforeAreOld) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Sighting seen;
  ASSERT_TRUE(dict.put(Key{"k"}, "v", &seen));
  ASSERT_TRUE(dict.clear());
  EXPECT_FALSE(seen.current());
  ASSERT_TRUE(dict.put("k", "v"));
  EXPECT_FALSE(seen.current());
  Buffer buffer;
  Record record;
  bool moved = false;
  EXPECT_EQ(dict.reread(&seen, &buffer, &record, &moved).code(), Code::changed);
}

// What a cleared table leaves in control looks as it did.
TEST(Clear, G3_RereadOfAClearedKeyRevivesNothing) {
  for (const std::size_t size : {5U, 600U}) {
    const Scratch scratch;
    Dict dict = scratch.open();
    Sighting seen;
    ASSERT_TRUE(dict.put(Key{"k"}, std::string(size, 'v'), &seen));
    ASSERT_TRUE(dict.clear());
    Buffer buffer;
    Record record;
    bool moved = false;
    EXPECT_EQ(dict.reread(&seen, &buffer, &record, &moved).code(), Code::changed);
    EXPECT_FALSE(seen.current());
    EXPECT_EQ(dict.put_at(&seen, "lost").code(), Code::changed);
    EXPECT_EQ(content_of(dict), Content{});
    expect_sound(dict);
  }
}

TEST(Clear, OldTablesStayReadableUntilReleased) {
  const Scratch scratch;
  Options options = scratch.options();
  options.keeps_sightings = true;
  Dict dict = scratch.open("dict", options);
  fill(dict, 1000, 10);
  std::vector<Sighting> sightings;
  for (int i = 0; i < 1000; ++i) {
    Sighting seen;
    Buffer buffer;
    ASSERT_TRUE(dict.find("k" + std::to_string(i), &seen, &buffer, nullptr));
    sightings.push_back(seen);
  }
  ASSERT_TRUE(dict.clear());
  fill(dict, 1000, 10);
  ASSERT_TRUE(dict.clear());
  fill(dict, 2000, 10);
  for (const Sighting& seen : sightings) EXPECT_FALSE(seen.current());
  dict.release_old_tables();
  EXPECT_EQ(dict.count(), 2000U);
  expect_sound(dict);
}

Dict with_an_old_table(const Scratch& scratch) {
  Options options = scratch.options();
  options.keeps_sightings = true;
  Dict dict = scratch.open("dict", options);
  fill(dict, 5000, 10);
  EXPECT_TRUE(dict.clear());
  EXPECT_GT(mapped_deleted_size(scratch.path()), 0U);
  return dict;
}

TEST(Clear, OldTablesAreUnmappedWhenTheyAreReleased) {
  const Scratch scratch;
  Dict dict = with_an_old_table(scratch);
  dict.release_old_tables();
  EXPECT_EQ(mapped_deleted_size(scratch.path()), 0U);
}

TEST(Clear, OldTablesGoWithTheHandle) {
  const Scratch scratch;
  Dict dict = with_an_old_table(scratch);
  ASSERT_TRUE(dict.close());
  EXPECT_EQ(mapped_deleted_size(scratch.path()), 0U);
}

// Another handle of the dict may have given the old tables back.
TEST(Clear, SightingsMayBeAskedWhenTheirTableIsUnmapped) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 1000, 10);
  std::vector<Sighting> sightings(1000);
  Buffer buffer;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(dict.find("k" + std::to_string(i), &sightings[i], &buffer, nullptr));
  ASSERT_TRUE(dict.clear());
  dict.release_old_tables();
  fill(dict, 1000, 10);
  ASSERT_TRUE(dict.clear());
  for (const Sighting& seen : sightings) EXPECT_FALSE(seen.current());
}

TEST(Clear, ByAnotherProcessIsSeen) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 500, 100);
  ASSERT_EQ(in_child([&] {
              Dict own = scratch.open("dict", Create::never);
              require(own.clear());
              require(own.put("k7", "by the child"));
            }),
            0);
  expect_content(dict, {{"k7", "by the child"}});
  ASSERT_TRUE(dict.put("k8", "by the parent"));
  expect_content(dict, {{"k7", "by the child"}, {"k8", "by the parent"}});
}

TEST(Clear, TheLastOfFewLargeValuesGivesTheMemoryBack) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const int count = 1000;
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(dict.put("k" + std::to_string(i), std::string(blob_size_min, 'v')));
  }
  EXPECT_GT(dict.stats().log_size, count * blob_size_min);
  const int last = count - count / 8;  // in a large segment that is closed
  for (int i = 0; i < count; ++i) {
    if (i != last) {
      ASSERT_TRUE(dict.erase("k" + std::to_string(i)));
    }
  }
  ASSERT_TRUE(dict.erase("k" + std::to_string(last)));
  EXPECT_LT(dict.stats().log_size, count * blob_size_min / 4);
  expect_content(dict, {});
}

TEST(Clear, TheLastKeyThatIsErasedGivesTheMemoryBack) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict other = scratch.open();
  const auto key = [](int i) { return "k" + std::to_string(i); };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(dict.put(key(i), std::string(200, 'v')));
    const Stats full = dict.stats();
    for (int i = 0; i < 20'000; ++i) ASSERT_TRUE((i % 2 == 0 ? dict : other).erase(key(i)));
    const Stats empty = dict.stats();
    EXPECT_GT(full.table_size, 800'000);
    EXPECT_LT(empty.table_size, 10'000);
    EXPECT_LT(empty.log_size, full.log_size / 4);
    expect_content(dict, {});
    EXPECT_EQ(orphans_of(dict), "");
  }
  ASSERT_TRUE(other.put("k", "v"));
  expect_content(dict, {{"k", "v"}});
}

}  // namespace
}  // namespace ultradict::test
