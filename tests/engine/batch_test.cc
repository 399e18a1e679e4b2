// SPDX-License-Identifier: Apache-2.0
#include "store/batch.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

Status put_all(Dict& dict, const Content& content) {
  std::vector<Item> items;
  for (const auto& [key, value] : content) items.push_back({Key{key}, value});
  return dict.put_all(items);
}

TEST(Batch, KeysAreInsertedInTheirOrderAndOverwrittenInPlace) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("b", "old"));
  ASSERT_TRUE(put_all(dict, {{"c", "1"}, {"b", "2"}, {"a", "3"}}));
  expect_content(dict, {{"b", "2"}, {"c", "1"}, {"a", "3"}});
}

// The header of a nested dict that it overwrites lies in a file that this process cannot map.
TEST(Batch, ThatCouldNotBeAppliedIsRefused) {
  const Scratch scratch;
  const std::string value(2000, 'v');  // the dict is too large to be looked at whole when it is opened
  {
    Dict dict = scratch.open();
    ASSERT_TRUE(dict.put("k", "v"));  // among the entries in control
    for (std::uint64_t i = 0; i < control_entries; ++i) ASSERT_TRUE(dict.put(key(i), value));
    Dict child;
    ASSERT_TRUE(dict.put_new_child("k", &child));  // its header is in the file behind
    for (std::uint64_t i = control_entries; i < 3 * control_entries; ++i) ASSERT_TRUE(dict.put(key(i), value));
  }
  EXPECT_EQ(in_child([&] {
              Dict dict = scratch.open();
              std::string found;
              require(dict.get("k", &found).code() == Code::is_dict);
              require(dict.get(key(3 * control_entries - 1), &found));
              const struct rlimit none { 3, 3 };
              require(::setrlimit(RLIMIT_NOFILE, &none) == 0);
              require(!put_all(dict, {{"k", "new"}}));
              require(dict.get("k", &found).code() == Code::is_dict);
            }),
            0);
  Dict dict = scratch.open();
  ASSERT_TRUE(put_all(dict, {{"k", "new"}}));
  EXPECT_EQ(value_of(dict, "k"), "new");
  EXPECT_EQ(unsoundness_of(dict), "");
}

TEST(Batch, KeyThatOccursTwiceGetsItsLastValueAtItsFirstPlace) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string blob(50'000, 'x');
  ASSERT_TRUE(put_all(dict, {{"a", blob}, {"b", "2"}, {"a", "3"}, {"b", blob}}));
  expect_content(dict, {{"a", "3"}, {"b", blob}});
  EXPECT_EQ(orphans_of(dict), "");
}

TEST(Batch, AKeyThatOccursTwiceIsTheFirstWithTheLastValue) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const Item items[] = {{Key{"1", "int", false}, "a"}, {Key{"2"}, "b"}, {Key{"1", "bool", true}, "c"}};
  ASSERT_TRUE(dict.put_all(items));
  Sighting seen;
  Buffer buffer;
  Record record;
  ASSERT_TRUE(dict.find("1", &seen, &buffer, &record));
  EXPECT_EQ(record.face, "int");
  EXPECT_FALSE(record.exotic);
  EXPECT_EQ(dict.exotic_count(), 0U);
  expect_content(dict, {{"1", "c"}, {"2", "b"}});
}

TEST(Batch, OfNothingChangesNothing) {
  const Scratch scratch;
  Dict dict = scratch.open();
  EXPECT_TRUE(dict.put_all({}));
  expect_content(dict, {});
}

TEST(Batch, LargeOneFillsTableAndLogFromNothing) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Content content;
  for (int i = 0; i < 20'000; ++i) content.emplace_back("k" + std::to_string(i), std::string(i % 100, 'v'));
  ASSERT_TRUE(put_all(dict, content));
  expect_content(dict, content);
  for (auto& [key, value] : content) value += "w";
  ASSERT_TRUE(put_all(dict, content));
  expect_content(dict, content);
}

// Keys of one batch then compete for slots of two arrays.
TEST(Batch, SmallOnesAreWholeWhileTheTableGrows) {
  const Scratch scratch;
  for (int round = 0; round < 20; ++round) {
    Dict dict = scratch.open("dict" + std::to_string(round));
    Content content;
    while (content.size() < 2400) {
      Content added;
      for (int i = 0; i < 8; ++i) added.emplace_back("k" + std::to_string(content.size() + added.size()), "v");
      ASSERT_TRUE(put_all(dict, added));
      content.insert(content.end(), added.begin(), added.end());
    }
    expect_content(dict, content);
  }
}

TEST(Batch, UsesTheEntriesOfDeletedKeysFirst) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(dict.put("k" + std::to_string(i), "v"));
  for (int i = 0; i < 40; i += 2) ASSERT_TRUE(dict.erase("k" + std::to_string(i)));
  Content expected = content_of(dict);
  Content added;
  for (int i = 0; i < 35; ++i) added.emplace_back("new" + std::to_string(i), "n");
  ASSERT_TRUE(put_all(dict, added));
  expected.insert(expected.end(), added.begin(), added.end());
  expect_content(dict, expected);
}

TEST(Batch, ThatIsRefusedLeavesNothingBehind) {
  const Scratch scratch;
  Options options = scratch.options();
  options.full_dump_size = 1000;
  Dict dict = scratch.open("dict", options);
  ASSERT_TRUE(dict.put("a", "1"));
  EXPECT_EQ(put_all(dict, {{"b", "2"}, {"c", std::string(60'000, 'x')}}).code(), Code::content_full);
  expect_content(dict, {{"a", "1"}});
  EXPECT_EQ(orphans_of(dict), "");
  ASSERT_TRUE(put_all(dict, {{"b", "2"}}));
  expect_content(dict, {{"a", "1"}, {"b", "2"}});
}

TEST(Batch, WorksUnderTheCallersOwnLock) {
  const Scratch scratch;
  Dict dict = scratch.open();
  {
    const LockGuard guard(dict);
    ASSERT_TRUE(guard.status());
    ASSERT_TRUE(put_all(dict, {{"a", "1"}, {"b", std::string(40'000, 'b')}}));
    ASSERT_TRUE(dict.clear());
    ASSERT_TRUE(put_all(dict, {{"c", "1"}}));
    EXPECT_TRUE(dict.has_lock());
  }
  EXPECT_FALSE(dict.has_lock());
  expect_content(dict, {{"c", "1"}});
}

TEST(Batch, AfterManyDeletionsGrowsTheTableFarEnough) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(dict.put("k" + std::to_string(i), "v"));
  for (int i = 1; i < 3000; ++i) ASSERT_TRUE(dict.erase("k" + std::to_string(i)));
  Content content{{"k0", "v"}};
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(dict.put("churn" + std::to_string(i), "v"));
    ASSERT_TRUE(dict.erase("churn" + std::to_string(i)));
  }
  Content added;
  for (int i = 0; i < 2500; ++i) added.emplace_back("new" + std::to_string(i), "n");
  const Status status = put_all(dict, added);
  ASSERT_TRUE(status) << status.message();
  content.insert(content.end(), added.begin(), added.end());
  expect_content(dict, content);
}

// Freeing a nested dict needs entries that this process has not mapped yet, and it has no descriptor left.
TEST(Batch, WhatCouldNotBeDoneAfterItsCommitIsDoneBeforeTheNextWriteOfTheSameOwner) {
  const Scratch scratch;
  Dict dict = scratch.open();
  EXPECT_EQ(in_child([&] {
              Dict own = scratch.open();
              Dict child;
              require(own.put_new_child("n", &child));
              for (int i = 0; i < 3000; ++i) require(child.put("k" + std::to_string(i), "v"));
              require(own.put("last", "v"));
              require(own.put("first", "v"));
            }),
            0);
  EXPECT_EQ(in_child([&] {
              Dict own = scratch.open();
              const LockGuard guard(own);
              require(guard.status());
              require(own.put("last", "w"));  // maps what the batch itself needs
              require(own.contains("n"));
              const struct rlimit none { 0, 4096 };
              require(::setrlimit(RLIMIT_NOFILE, &none) == 0);
              require(put_all(own, {{"n", "no dict"}, {"last", "x"}}));
              require(own.stats().nested_count != 0);
              const struct rlimit enough { 256, 4096 };
              require(::setrlimit(RLIMIT_NOFILE, &enough) == 0);
              require(own.put("first", "later"));
              require(own.stats().nested_count == 0);
            }),
            0);
  EXPECT_TRUE(dict.check().sound());
}

// The last entry of the chain, which the first insertion changes, is far from the free ones.
TEST(Batch, ThatCannotMapWhatItNeedsChangesNothing) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const auto key = [](int i) { return "k" + std::to_string(i); };
  EXPECT_EQ(in_child([&] {
              Dict own = scratch.open();
              for (int i = 0; i < 3000; ++i) require(own.put(key(i), "v"));
              for (int i = 0; i < 20; ++i) require(own.erase(key(i)));
            }),
            0);
  EXPECT_EQ(in_child([&] {
              Dict own = scratch.open();
              require(own.put(key(30), "w"));
              const struct rlimit none { 0, 4096 };
              require(::setrlimit(RLIMIT_NOFILE, &none) == 0);
              require(!put_all(own, {{"a", "batch"}, {"b", "batch"}}));
              const struct rlimit enough { 256, 4096 };
              require(::setrlimit(RLIMIT_NOFILE, &enough) == 0);
              require(own.contains("a").code() == Code::not_found);
              require(own.count() == 2980);
            }),
            0);
  EXPECT_TRUE(dict.check().sound());
}

}  // namespace
}  // namespace ultradict::test
