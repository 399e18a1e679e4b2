// SPDX-License-Identifier: Apache-2.0
// The quick way to put: what it does, and what it leaves to the long one.
#include <gtest/gtest.h>

#include <thread>

#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

TEST(QuickPut, InsertsAndOverwritesAsTheLongWayDoes) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Content expected;
  for (int i = 0; i < 500; ++i) {
    const std::string key = "k" + std::to_string(i);
    Sighting seen;
    ASSERT_TRUE(dict.try_put(Key{key}, "first", &seen));
    EXPECT_EQ(seen.born, seen.sequence);
    ASSERT_TRUE(dict.try_put(Key{key}, key, &seen));
    EXPECT_NE(seen.born, seen.sequence);
    EXPECT_TRUE(seen.current());
    expected.emplace_back(key, key);
  }
  expect_content(dict, expected);
}

// A key that only Python can compare may be equal to any: who inserts beside one takes the long way.
TEST(QuickPut, IsForDictsWithoutExoticKeysAlone) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child;
  ASSERT_TRUE(dict.put_new_child("child", &child));
  ASSERT_TRUE(child.put(Key{"exotic", {}, true}, "v", nullptr));
  EXPECT_EQ(child.try_put(Key{"k"}, "v", nullptr).code(), Code::lock_busy);
  EXPECT_TRUE(dict.try_put(Key{"k"}, "v", nullptr));
  ASSERT_TRUE(child.erase("exotic"));
  EXPECT_TRUE(child.try_put(Key{"k"}, "v", nullptr));
  ASSERT_TRUE(dict.put(Key{"exotic", {}, true}, "v", nullptr));
  EXPECT_EQ(dict.try_put(Key{"k2"}, "v", nullptr).code(), Code::lock_busy);
  EXPECT_TRUE(child.try_put(Key{"k2"}, "v", nullptr));
}

TEST(QuickPut, OverwritingLeavesNothingOfTheInsertionThatWasPrepared) {
  const Scratch scratch;
  Dict quick = scratch.open("quick");
  Dict slow = scratch.open("slow");
  Sighting seen;
  for (Dict* dict : {&quick, &slow}) {
    for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(dict->put(key, "old"));
    ASSERT_TRUE(dict->erase("b"));
  }
  ASSERT_TRUE(quick.try_put(Key{"a"}, "new", &seen));
  ASSERT_TRUE(slow.put("a", "new"));
  const ControlView one(quick);
  const ControlView other(slow);
  State state = one->state;
  state.slots_used = other->state.slots_used;  // whether a tombstone stays depends on each dict's own hash
  EXPECT_EQ(std::memcmp(&state, &other->state, sizeof(State)), 0);
  expect_content(quick, {{"a", "new"}, {"c", "old"}});
}

TEST(QuickPut, LinksOfNestedDictsAreCountedWhenTheyComeAndGo) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child;
  Sighting seen;
  ASSERT_TRUE(dict.try_put(Key{"k"}, "small", &seen));
  ASSERT_TRUE(dict.put_new_child("k", &child));  // in the place of a small value
  EXPECT_TRUE(child.alive());
  ASSERT_TRUE(child.put("in", "side"));
  expect_sound(dict);
  ASSERT_TRUE(dict.try_put(Key{"k"}, "small again", &seen));
  EXPECT_EQ(child.alive().code(), Code::dict_gone);
  expect_content(dict, {{"k", "small again"}});
}

TEST(QuickPut, KeepsTheFaceAndTheMarkOfTheKeyThatIsThere) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Buffer buffer;
  Record record;
  Sighting seen;
  ASSERT_TRUE(dict.put(Key{"k", "face"}, "old", nullptr));
  ASSERT_TRUE(dict.try_put(Key{"k", "another"}, "a longer value", &seen));
  ASSERT_TRUE(dict.find("k", &seen, &buffer, &record));
  EXPECT_EQ(record.face, "face");
  EXPECT_EQ(record.value, "a longer value");
  expect_sound(dict);
}

TEST(QuickPut, LeavesADictWithExoticKeysToTheLongWay) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Sighting seen;
  ASSERT_TRUE(dict.put(Key{"x", "pickle", true}, "v", nullptr));
  EXPECT_EQ(dict.try_put(Key{"k"}, "v", &seen).code(), Code::lock_busy);
  EXPECT_FALSE(dict.has_lock());
  ASSERT_TRUE(dict.erase("x"));
  ASSERT_TRUE(dict.try_put(Key{"k"}, "v", &seen));
  expect_content(dict, {{"k", "v"}});
}

TEST(QuickPut, DoesNotWaitForTheLock) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Sighting seen;
  ASSERT_TRUE(dict.lock());
  Code code = Code::ok;
  std::thread([&] { code = dict.try_put(Key{"k"}, "v", &seen).code(); }).join();
  EXPECT_EQ(code, Code::lock_busy);
  ASSERT_TRUE(dict.try_put(Key{"k"}, "of who has it", &seen));
  EXPECT_TRUE(dict.has_lock());
  ASSERT_TRUE(dict.unlock());
  expect_content(dict, {{"k", "of who has it"}});
}

TEST(QuickPut, ContentBoundIsThatOfTheKeyWhichIsThere) {
  const Scratch scratch;
  Options options = scratch.options();
  options.full_dump_size = 100;
  Dict dict = scratch.open("dict", options);
  Sighting seen;
  ASSERT_TRUE(dict.put("k", std::string(99, 'v')));
  ASSERT_TRUE(dict.try_put(Key{"k"}, std::string(99, 'w'), &seen));  // as a new key it would be too much
  EXPECT_EQ(dict.try_put(Key{"l"}, "", &seen).code(), Code::content_full);
  expect_content(dict, {{"k", std::string(99, 'w')}});
}

TEST(Put, ContentBoundIsThatOfTheKeyWhichIsThereForALargeValueToo) {
  const Scratch scratch;
  Options options = scratch.options();
  options.full_dump_size = 100'000;
  Dict dict = scratch.open("dict", options);
  const std::string large(60'000, 'l');
  ASSERT_TRUE(dict.put("a", large));
  ASSERT_TRUE(dict.put("k", "small"));
  EXPECT_EQ(dict.put("k", large).code(), Code::content_full);
  ASSERT_TRUE(dict.put("a", large));
  expect_content(dict, {{"a", large}, {"k", "small"}});
}

TEST(Put, EachIsAnotherNumberOfWhatIsWritten) {
  const Scratch scratch;
  Dict dict = scratch.open();
  EXPECT_EQ(Dict().written(), 0U);
  Dict child;
  ASSERT_TRUE(dict.put_new_child("child", &child));
  std::uint64_t before = dict.written();
  for (Dict* each : {&dict, &child, &dict}) {
    ASSERT_TRUE(each->put("k", "v"));
    EXPECT_NE(dict.written(), before);
    before = dict.written();
  }
  ASSERT_TRUE(dict.contains("k"));
  EXPECT_EQ(dict.written(), before);
}

TEST(QuickPut, TakesNoBlobs) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Sighting seen;
  EXPECT_EQ(dict.try_put(Key{"k"}, std::string(blob_size_min + 1, 'v'), &seen).code(), Code::invalid_argument);
  EXPECT_EQ(Dict().try_put(Key{"k"}, "v", &seen).code(), Code::closed);
  expect_content(dict, {});
}

}  // namespace
}  // namespace ultradict::test
