// SPDX-License-Identifier: Apache-2.0
#include "store/writer.h"

#include <gtest/gtest.h>

#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

TEST(Writer, KeysStandInTheOrderOfTheirInsertion) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (const char* key : {"c", "a", "b"}) ASSERT_TRUE(dict.put(key, key));
  expect_content(dict, {{"c", "c"}, {"a", "a"}, {"b", "b"}});
}

TEST(Writer, OverwrittenKeyKeepsItsPlace) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (const char* key : {"c", "a", "b"}) ASSERT_TRUE(dict.put(key, key));
  ASSERT_TRUE(dict.put("a", "anew"));
  expect_content(dict, {{"c", "c"}, {"a", "anew"}, {"b", "b"}});
}

// Memory that may be the last is not taken for a table that the next new key needs, and this one does not.
TEST(Writer, OverwritingRightAfterAnInsertionLeavesTheTableAsItIs) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(dict.put("k" + std::to_string(i), "v"));
    const Stats before = dict.stats();
    ASSERT_TRUE(dict.put("k0", "w"));
    ASSERT_EQ(dict.stats().table_size, before.table_size) << i;
  }
}

TEST(Writer, KeyInsertedAgainGoesToTheEnd) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (const char* key : {"c", "a", "b"}) ASSERT_TRUE(dict.put(key, key));
  ASSERT_TRUE(dict.erase("c"));
  ASSERT_TRUE(dict.put("c", "again"));
  expect_content(dict, {{"a", "a"}, {"b", "b"}, {"c", "again"}});
}

TEST(Writer, ErasingFirstMiddleLastAndOnlyKeyKeepsTheChain) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (const char* key : {"a", "b", "c", "d"}) ASSERT_TRUE(dict.put(key, key));
  Content left{{"a", "a"}, {"b", "b"}, {"c", "c"}, {"d", "d"}};
  for (const char* key : {"a", "c", "d", "b"}) {
    ASSERT_TRUE(dict.erase(key));
    std::erase_if(left, [&](const auto& item) { return item.first == key; });
    expect_content(dict, left);
  }
  EXPECT_EQ(dict.erase("a").code(), Code::not_found);
}

TEST(Writer, KeysAndValuesOfAllSizesAreKept) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Content expected;
  for (std::size_t size : {0, 1, 7, 8, 9, 39, 40, 41, 4095, 4096, 5000, 32767, 32768, 32769, 65535, 65536, 70000}) {
    expected.emplace_back(std::string(size % 50'000, 'k') + std::to_string(size), std::string(size, 'v'));
  }
  expected.emplace_back("", "the empty key");
  expected.emplace_back(std::string("\0with NUL\0", 10), std::string("\0\0", 2));
  for (const auto& [key, value] : expected) ASSERT_TRUE(dict.put(key, value));
  expect_content(dict, expected);
  for (auto& [key, value] : expected) {
    value = std::string(value.size() / 2, 'w');
    ASSERT_TRUE(dict.put(key, value));
  }
  expect_content(dict, expected);
  EXPECT_EQ(orphans_of(dict), "");
}

TEST(Writer, KeyLargerThanAnySegmentIsKept) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string key(3'000'000, 'k');
  ASSERT_TRUE(dict.put(key, "v"));
  ASSERT_TRUE(dict.put("small", "w"));
  expect_content(dict, {{key, "v"}, {"small", "w"}});
  ASSERT_TRUE(dict.erase(key));
  ASSERT_TRUE(dict.clean());
  expect_content(dict, {{"small", "w"}});
}

TEST(Writer, FaceAndExoticMarkStayThoseOfTheInsertion) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put(Key{"one", "True", true}, "first", nullptr));
  ASSERT_TRUE(dict.put(Key{"one", "1.0", false}, "second", nullptr));
  Sighting seen;
  Buffer buffer;
  Record record;
  ASSERT_TRUE(dict.find("one", &seen, &buffer, &record));
  EXPECT_EQ(record.face, "True");
  EXPECT_EQ(record.value, "second");
  EXPECT_TRUE(record.exotic);
  EXPECT_EQ(dict.exotic_count(), 1U);
  const std::vector<Item> items{{Key{"one", "again", false}, "third"}, {Key{"two", "face", true}, "fourth"}};
  ASSERT_TRUE(dict.put_all(items));
  ASSERT_TRUE(dict.find("one", &seen, &buffer, &record));
  EXPECT_EQ(record.face, "True");
  EXPECT_EQ(dict.exotic_count(), 2U);
  expect_sound(dict);
  ASSERT_TRUE(dict.erase("one"));
  EXPECT_EQ(dict.exotic_count(), 1U);
  ASSERT_TRUE(dict.put(Key{"one", "now this"}, "fifth", nullptr));
  ASSERT_TRUE(dict.find("one", &seen, &buffer, &record));
  EXPECT_EQ(record.face, "now this");
  EXPECT_FALSE(record.exotic);
  expect_sound(dict);
}

TEST(Writer, PutAtAndEraseAtKnowAnEntryOnlyInTheLifeOfItsKey) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Sighting seen;
  ASSERT_TRUE(dict.put(Key{"k"}, "1", &seen));
  EXPECT_TRUE(seen.current());
  ASSERT_TRUE(dict.put("k", "2"));
  EXPECT_FALSE(seen.current());
  ASSERT_TRUE(dict.put_at(&seen, "3"));
  EXPECT_TRUE(seen.current());
  EXPECT_EQ(value_of(dict, "k"), "3");
  ASSERT_TRUE(dict.erase("k"));
  ASSERT_TRUE(dict.put("other", "in its entry"));
  EXPECT_EQ(dict.put_at(&seen, "4").code(), Code::changed);
  EXPECT_EQ(dict.erase_at(seen).code(), Code::changed);
  expect_content(dict, {{"other", "in its entry"}});
  ASSERT_TRUE(dict.put(Key{"k"}, "5", &seen));
  ASSERT_TRUE(dict.clear());
  EXPECT_EQ(dict.put_at(&seen, "6").code(), Code::changed);
  EXPECT_EQ(dict.erase_at(seen).code(), Code::changed);
  expect_content(dict, {});
}

TEST(Writer, ContentBeyondItsBoundIsRefusedAndNothingChanges) {
  const Scratch scratch;
  Options options = scratch.options();
  options.full_dump_size = 100;
  Dict dict = scratch.open("dict", options);
  ASSERT_TRUE(dict.put("k", std::string(99, 'v')));
  EXPECT_EQ(dict.put("l", "").code(), Code::content_full);
  EXPECT_EQ(dict.put("k", std::string(100, 'v')).code(), Code::content_full);
  EXPECT_EQ(dict.put("k", std::string(50'000, 'v')).code(), Code::content_full);
  const std::vector<Item> items{{Key{"k"}, "short"}, {Key{"l"}, std::string(94, 'v')}};
  EXPECT_EQ(dict.put_all(items).code(), Code::content_full);
  expect_content(dict, {{"k", std::string(99, 'v')}});
  EXPECT_EQ(orphans_of(dict), "");
  ASSERT_TRUE(dict.put("k", "short"));
  ASSERT_TRUE(dict.put("l", std::string(93, 'v')));
  EXPECT_EQ(dict.stats().content_size, 100U);
}

TEST(Writer, KeyBeyondItsLimitIsRefused) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const Bytes huge("", key_size_max + 1);  // its size alone is looked at
  EXPECT_EQ(dict.put(huge, "v").code(), Code::invalid_argument);
  EXPECT_EQ(dict.put(Key{"k", huge}, "v", nullptr).code(), Code::invalid_argument);
  EXPECT_EQ(dict.put("k", Bytes("", value_size_max + 1)).code(), Code::invalid_argument);
  expect_content(dict, {});
}

TEST(Writer, ClosedHandleRefusesEverything) {
  Dict dict;
  EXPECT_EQ(dict.put("k", "v").code(), Code::closed);
  EXPECT_EQ(dict.erase("k").code(), Code::closed);
  EXPECT_EQ(dict.clear().code(), Code::closed);
  EXPECT_EQ(dict.put_all({}).code(), Code::closed);
  std::string value;
  EXPECT_EQ(dict.get("k", &value).code(), Code::closed);
  EXPECT_EQ(dict.contains("k").code(), Code::closed);
  EXPECT_EQ(dict.lock().code(), Code::closed);
  EXPECT_EQ(dict.unlock().code(), Code::closed);
  EXPECT_EQ(dict.clean().code(), Code::closed);
  EXPECT_EQ(dict.unlink().code(), Code::closed);
  EXPECT_FALSE(dict.try_lock());
  EXPECT_FALSE(dict.has_lock());
  EXPECT_EQ(dict.count(), 0U);
  EXPECT_FALSE(dict.check().sound());
  Sighting seen;
  EXPECT_EQ(Cursor(dict).next(&seen).code(), Code::closed);
  EXPECT_TRUE(dict.close());
}

TEST(Writer, BlobsGoWithTheirValues) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string large(100'000, 'a');
  ASSERT_TRUE(dict.put("k", large));
  ASSERT_TRUE(dict.put("l", large));
  EXPECT_EQ(dict.stats().blobs, 2U);
  EXPECT_EQ(dict.stats().blob_size, 200'000U);
  ASSERT_TRUE(dict.put("k", "small"));
  ASSERT_TRUE(dict.put("l", std::string(90'000, 'b')));
  EXPECT_EQ(orphans_of(dict), "");
  EXPECT_EQ(dict.stats().blob_size, 90'000U);
  ASSERT_TRUE(dict.erase("l"));
  EXPECT_EQ(dict.stats().blobs, 0U);
  EXPECT_EQ(orphans_of(dict), "");
  expect_content(dict, {{"k", "small"}});
}

TEST(Writer, StreamCountersStartAnewWhenTheBufferIsPassed) {
  const Scratch scratch;
  Dict dict = scratch.open();
  EXPECT_EQ(dict.stats().full_dump_counter, 0U);
  ASSERT_TRUE(dict.put("k", std::string(1'000'000, 'v')));
  EXPECT_EQ(dict.stats().full_dump_counter, 1U);
  EXPECT_EQ(dict.stats().stream_position, 0U);
  ASSERT_TRUE(dict.put("l", "v"));
  EXPECT_GT(dict.stats().stream_position, 0U);
  ASSERT_TRUE(dict.dump());
  EXPECT_EQ(dict.stats().full_dump_counter, 2U);
  ASSERT_TRUE(dict.clear());
  EXPECT_EQ(dict.stats().full_dump_counter, 3U);
}

}  // namespace
}  // namespace ultradict::test
