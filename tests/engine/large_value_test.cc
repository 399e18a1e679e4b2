// SPDX-License-Identifier: Apache-2.0
#include "ultradict/large_value.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"
#include "support/small_memory.h"

namespace ultradict::test {
namespace {

std::string large(char letter, std::size_t size = 100'000) { return std::string(size, letter); }

TEST(LargeValue, IsPutInPartsAndReadInPlace) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string first = large('a'), second = large('b');
  const Bytes parts[] = {"head", first, "", second};
  StagedValue staged;
  ASSERT_TRUE(dict.stage(parts, &staged));
  EXPECT_EQ(staged.size(), 200'004);
  EXPECT_EQ(dict.count(), 0);
  ASSERT_TRUE(dict.put(Key{"k"}, &staged, nullptr));
  EXPECT_EQ(staged.size(), 0);
  MappedValue mapped;
  ASSERT_TRUE(dict.map("k", &mapped));
  EXPECT_EQ(mapped.bytes(), "head" + first + second);
  EXPECT_TRUE(mapped.is_intact());
  expect_content(dict, {{"k", "head" + first + second}});
}

TEST(LargeValue, ThatIsNotPutLeavesNothing) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string value = large('a');
  {
    StagedValue staged;
    const Bytes parts[] = {value};
    ASSERT_TRUE(dict.stage(parts, &staged));
  }
  EXPECT_EQ(orphans_of(dict), "");
  expect_content(dict, {});
}

TEST(LargeValue, OverwritesWhatASightingNames) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Sighting seen;
  ASSERT_TRUE(dict.put(Key{"k"}, "small", &seen));
  const std::string value = large('b');
  const Bytes parts[] = {value};
  StagedValue staged;
  ASSERT_TRUE(dict.stage(parts, &staged));
  ASSERT_TRUE(dict.put_at(&seen, &staged));
  EXPECT_TRUE(seen.current());
  ASSERT_TRUE(dict.stage(parts, &staged));
  ASSERT_TRUE(dict.erase("k"));
  EXPECT_EQ(dict.put_at(&seen, &staged).code(), Code::changed);
  ASSERT_TRUE(dict.put(Key{"again"}, &staged, nullptr));  // it was kept
  expect_content(dict, {{"again", value}});
}

TEST(LargeValue, ASmallOneTakesItsPlaceByWhatWasSeenOfIt) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Sighting seen;
  for (const bool is_tried : {false, true}) {
    ASSERT_TRUE(dict.put(Key{"k"}, large('a'), &seen));
    ASSERT_TRUE(is_tried ? dict.try_put_at(&seen, "small") : dict.put_at(&seen, "small"));
    EXPECT_TRUE(seen.current());
    expect_content(dict, {{"k", "small"}});
    EXPECT_EQ(orphans_of(dict), "");
  }
}

TEST(LargeValue, WhatTheParentStagedIsNotTheChilds) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string large(100'000, 'x');
  const Bytes parts[] = {large};
  StagedValue staged;
  ASSERT_TRUE(dict.stage(parts, &staged));
  EXPECT_EQ(in_child([&] {
              require(dict.put(Key{"k"}, &staged, nullptr).code() == Code::invalid_argument);
              staged = StagedValue();  // gives up the child's copy alone
            }),
            0);
  EXPECT_EQ(dict.count(), 0U);
  ASSERT_TRUE(dict.put(Key{"k"}, &staged, nullptr));
  EXPECT_EQ(value_of(dict, "k"), large);
}

TEST(LargeValue, D7_StaysAsItIsWhateverHappensToItsKeyAndDict) {
  const Scratch scratch;
  MappedValue mapped;
  const std::string value = large('a');
  {
    Dict dict = scratch.open();
    ASSERT_TRUE(dict.put("k", value));
    ASSERT_TRUE(dict.map("k", &mapped));
    ASSERT_TRUE(dict.put("k", large('b')));
    EXPECT_TRUE(mapped.is_intact());
    ASSERT_TRUE(dict.erase("k"));
    ASSERT_TRUE(dict.clear());
    ASSERT_TRUE(dict.unlink());
  }
  EXPECT_EQ(mapped.bytes(), value);
  EXPECT_TRUE(mapped.is_intact());
}

// A view keeps the memory of a value that is gone; when it ends, the next value finds it.
TEST(LargeValue, D7_TakesMemoryAsLongAsItIsMapped) {
  const SmallMemory memory(1 << 20);
  if (!memory.is_there()) GTEST_SKIP() << "mounting is not permitted";
  Dict dict;
  ASSERT_TRUE(Dict::open("dict", memory.options(), &dict));
  const std::string value = large('a', 600'000);
  ASSERT_TRUE(dict.put("k", value));
  const std::uint64_t free_pages = memory.free_pages();
  {
    MappedValue mapped;
    ASSERT_TRUE(dict.map("k", &mapped));
    ASSERT_TRUE(dict.erase("k"));
    EXPECT_EQ(memory.free_pages(), free_pages);
    EXPECT_EQ(dict.put("next", value).code(), Code::memory_full);
    EXPECT_EQ(mapped.bytes(), value);
  }
  EXPECT_GE(memory.free_pages(), free_pages + value.size() / page_size);
  ASSERT_TRUE(dict.put("next", value));
  expect_content(dict, {{"next", value}});
}

int staged_count(const Scratch& scratch) {
  int count = 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator(scratch.path()))
    count += each.path().filename().string().starts_with("staged-") ? 1 : 0;
  return count;
}

void die_with_a_value_staged(const Scratch& scratch, const std::string& value) {
  Child writer([&] {
    Dict dict = scratch.open("dict", Create::never);
    const Bytes parts[] = {value};
    StagedValue staged;
    require(dict.stage(parts, &staged));
    ::raise(SIGKILL);
  });
  ASSERT_EQ(writer.wait(), -SIGKILL);
}

// No owner of the lock died, nor is memory full.
TEST(LargeValue, H5_OfAKilledWriterGoesWithTheNextOfItsSize) {
  const Scratch scratch;
  const Dict dict = scratch.open();
  const std::string value = large('a', 4 << 20);
  for (int kill = 0; kill < 20; ++kill) {
    die_with_a_value_staged(scratch, value);
    ASSERT_EQ(staged_count(scratch), 1) << "kill " << kill;
  }
}

TEST(LargeValue, H5_OfKilledWritersGoesWithSmallerOnesToo) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string value = large('a');
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(dict.put("k" + std::to_string(i), value));
  for (int kill = 0; kill < 5; ++kill) die_with_a_value_staged(scratch, value);
  StagedValue staged;  // of one who lives
  const Bytes parts[] = {value};
  ASSERT_TRUE(dict.stage(parts, &staged));
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(dict.put("k", value));
  EXPECT_EQ(staged_count(scratch), 1);
  ASSERT_TRUE(dict.put(Key{"staged"}, &staged, nullptr));
  expect_sound(dict);
}

TEST(LargeValue, H5_OfAKilledWriterGoesBackToTheBound) {
  const Scratch scratch;
  Options options = scratch.options();
  options.max_bytes = 64 << 20;
  Dict dict = scratch.open("dict", options);
  const std::string value = large('a', 4 << 20);
  ASSERT_TRUE(dict.put("k", value));
  const std::uint64_t free_bytes = dict.stats().free_bytes;
  for (int kill = 0; kill < 5; ++kill) die_with_a_value_staged(scratch, value);
  EXPECT_GE(dict.stats().free_bytes + value.size() + page_size, free_bytes);
  ASSERT_TRUE(dict.put("k", value));
  EXPECT_EQ(dict.stats().free_bytes, free_bytes);
  expect_sound(dict);
}

TEST(LargeValue, SmallOnesAndMissingOnesCannotBeMapped) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("small", "v"));
  Dict child;
  ASSERT_TRUE(dict.put_new_child("nested", &child));
  ASSERT_TRUE(dict.put("large", large('l')));
  MappedValue mapped;
  ASSERT_TRUE(dict.map("large", &mapped));
  EXPECT_EQ(dict.map("small", &mapped).code(), Code::invalid_argument);
  EXPECT_EQ(mapped.bytes().size(), 0) << "what was mapped before is still there";
  EXPECT_EQ(dict.map("missing", &mapped).code(), Code::not_found);
  EXPECT_EQ(dict.map("nested", &mapped).code(), Code::is_dict);
  EXPECT_EQ(mapped.bytes().size(), 0);
}

TEST(LargeValue, OfAnotherDictOrTooSmallIsRefused) {
  const Scratch scratch;
  Dict dict = scratch.open(), other = scratch.open("other");
  const std::string value = large('a');
  const Bytes parts[] = {value}, too_small[] = {"a"};
  StagedValue staged;
  EXPECT_EQ(dict.stage(too_small, &staged).code(), Code::invalid_argument);
  EXPECT_EQ(dict.put(Key{"k"}, &staged, nullptr).code(), Code::invalid_argument);
  ASSERT_TRUE(dict.stage(parts, &staged));
  EXPECT_EQ(other.put(Key{"k"}, &staged, nullptr).code(), Code::invalid_argument);
  ASSERT_TRUE(dict.put(Key{"k"}, &staged, nullptr));
}

}  // namespace
}  // namespace ultradict::test
