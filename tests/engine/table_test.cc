// SPDX-License-Identifier: Apache-2.0
#include "store/table.h"

#include <gtest/gtest.h>

#include "store/life.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"
#include "support/small_memory.h"

namespace ultradict::test {
namespace {

void fill(Dict& dict, int begin, int end) {
  for (int i = begin; i < end; ++i) ASSERT_TRUE(dict.put(key(i), "v"));
}

TEST(Table, GrowsThroughItsExtents) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (int i = 0; i < 70'000; ++i) ASSERT_TRUE(dict.put(key(i), key(i)));
  for (int i = 0; i < 70'000; ++i) ASSERT_EQ(value_of(dict, key(i)), key(i));
  expect_sound(dict);
  EXPECT_EQ(orphans_of(dict), "");
  EXPECT_LT(dict.stats().slots, 70'000U * 8);
}

TEST(Table, IsSoundAtEverySizeWhileItGrows) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(dict.put(key(i), "v"));
    if (i % 3 == 2) {
      ASSERT_TRUE(dict.erase(key(i - 1)));
    }
    ASSERT_EQ(unsoundness_of(dict), "") << i;
  }
}

TEST(Table, TombstonesAreReusedOrSweptByChurn) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("stays", "v"));
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(dict.put(key(i), "v"));
    ASSERT_TRUE(dict.erase(key(i)));
  }
  expect_content(dict, {{"stays", "v"}});
  EXPECT_LE(dict.stats().slots, 4096U) << "slots grow although the dict does not";
}

TEST(Table, AbsentKeysAreFoundAbsentAmongTombstones) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(dict.put(key(i), "v"));
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(dict.erase(key(i)));
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(dict.contains(key(i)).code(), Code::not_found);
  expect_content(dict, {});
}

// The new array is made for the few keys that live; meanwhile many come.
TEST(Table, ManyInsertionsAfterManyDeletions) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(dict.put(key(i), "v"));
  for (int i = 1; i < 20'000; ++i) ASSERT_TRUE(dict.erase(key(i)));
  const std::uint64_t slots = dict.stats().slots;
  const std::uint64_t table_size = dict.stats().table_size;
  for (int i = 0; dict.stats().slots == slots && dict.stats().table_size == table_size && i < 200'000; ++i) {
    ASSERT_TRUE(dict.put("churn" + std::to_string(i), "v"));
    ASSERT_TRUE(dict.erase("churn" + std::to_string(i)));
  }
  for (int i = 1; i < 20'000; ++i) {
    const Status status = dict.put(key(i), "w");
    ASSERT_TRUE(status) << i << " " << status.message();
  }
  EXPECT_EQ(dict.count(), 20'000U);
  expect_sound(dict);
}

TEST(Table, EntriesOfDeletedKeysAreReused) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(dict.put(key(i), "v"));
  const ControlView control(dict);
  const Word used = control->state.entries_used;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(dict.erase(key(1000 * round + i)));
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(dict.put(key(1000 * (round + 1) + i), "v"));
  }
  EXPECT_EQ(control->state.entries_used, used);
  expect_sound(dict);
}

// A reader may be stopped for as long as it takes: what it looks at stays in memory until it has finished, or else it
// would have to be found for it again, where there is none left.
TEST(Table, D2_WhoStillLooksAtReplacedSlotsIsNotKilled) {
  const SmallMemory memory(32 * 1024 * 1024);
  if (!memory.is_there()) GTEST_SKIP() << "mounting is not permitted";
  Dict dict;
  ASSERT_TRUE(Dict::open("dict", memory.options(), &dict));
  fill(dict, 0, 20'000);
  Gate looked;
  Gate replaced;
  Child reader([&] {
    Dict same;
    require(Dict::open("dict", memory.options(Create::never), &same));
    Store& store = *find_open(same.id());
    const SlotsName name{shared::load(store.state().slots)};
    Word* words = nullptr;
    require(!store.regions.slots(name, &words));
    looked.open();
    replaced.wait();
    Word used = 0;
    for (Word number = 0; number < name.count(); ++number) used += shared::load(words[number]) != 0;
    require(used >= 20'000);
  });
  looked.wait();
  fill(dict, 20'000, 80'000);
  memory.fill_up();
  replaced.open();
  EXPECT_EQ(reader.wait(), 0);
}

}  // namespace
}  // namespace ultradict::test
