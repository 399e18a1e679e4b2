// SPDX-License-Identifier: Apache-2.0
// A handle that is not open: every call answers so, or that there is nothing.
#include <gtest/gtest.h>

#include "support/content.h"
#include "support/scratch.h"
#include "ultradict/value.h"

namespace ultradict::test {
namespace {

Status walk(const Dict& dict) {
  Sighting seen;
  return Cursor(dict).next(&seen);
}

TEST(ClosedDict, SaysSoWhateverIsReadOfIt) {
  const Dict dict;
  std::string value;
  Sighting seen;
  Buffer buffer;
  Record record;
  bool moved = false;
  char byte = 0;
  MappedValue mapped;
  Dict child;
  std::uint64_t links = 7;
  Progress progress;
  std::vector<Sighting> changed;
  Value decoded;
  EXPECT_EQ(dict.get("k", &value).code(), Code::closed);
  EXPECT_EQ(get(dict, "k", &decoded).code(), Code::closed);
  EXPECT_EQ(get<int>(dict, "k"), std::nullopt);
  EXPECT_EQ(dict.contains("k").code(), Code::closed);
  EXPECT_EQ(dict.find("k", &seen, &buffer, &record).code(), Code::closed);
  EXPECT_EQ(dict.reread(&seen, &buffer, &record, &moved).code(), Code::closed);
  EXPECT_EQ(dict.read_blob(seen, 1, &byte).code(), Code::closed);
  EXPECT_EQ(dict.map("k", &mapped).code(), Code::closed);
  EXPECT_EQ(dict.map_blob(seen, 1, &mapped).code(), Code::closed);
  EXPECT_EQ(dict.open_child("k", &child).code(), Code::closed);
  EXPECT_EQ(dict.open_child(ChildId{1, 1}, &child).code(), Code::closed);
  EXPECT_EQ(dict.link_count(&links).code(), Code::closed);
  EXPECT_EQ(links, 0U);
  EXPECT_EQ(dict.alive().code(), Code::closed);
  EXPECT_EQ(dict.changes(&progress, &changed).code(), Code::closed);
  EXPECT_TRUE(dict.changed_since(progress));
  EXPECT_EQ(walk(dict).code(), Code::closed);
  EXPECT_FALSE(dict.check().sound());
}

TEST(ClosedDict, ItsTableIsNone) {
  const Dict never_open;
  EXPECT_EQ(never_open.table_word().load(), 0U);
}

TEST(AttachedDict, HasATableThatClearReplaces) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::uint64_t first = dict.table_word().load();
  ASSERT_TRUE(dict.put("k", "v"));
  EXPECT_EQ(dict.table_word().load(), first);
  ASSERT_TRUE(dict.clear());
  EXPECT_NE(dict.table_word().load(), first);
  EXPECT_EQ(dict.table_word().load() % 2, 0U);
}

TEST(Sighting, ThatNoCallFilledInIsOfNoKey) {
  const Scratch scratch;
  const Dict dict = scratch.open();
  const Sighting none;
  char byte = 0;
  MappedValue mapped;
  EXPECT_EQ(dict.read_blob(none, 1, &byte).code(), Code::changed);
  EXPECT_EQ(dict.map_blob(none, 1, &mapped).code(), Code::changed);
}

TEST(ClosedDict, SaysSoWhateverIsWrittenToIt) {
  const Scratch scratch;
  Dict open = scratch.open();
  const std::string large(blob_size_min + 1, 'l');
  const Bytes parts[] = {large};
  StagedValue staged;
  ASSERT_TRUE(open.stage(parts, &staged));
  Dict dict;
  Dict child;
  Sighting seen;
  const Item items[] = {{Key{"k"}, "v"}};
  EXPECT_EQ(dict.put("k", "v").code(), Code::closed);
  EXPECT_EQ(put(dict, "k", "v").code(), Code::closed);
  EXPECT_EQ(erase(dict, "k").code(), Code::closed);
  EXPECT_EQ(dict.try_put(Key{"k"}, "v", nullptr).code(), Code::closed);
  EXPECT_EQ(dict.put_at(&seen, "v").code(), Code::closed);
  EXPECT_EQ(dict.try_put_at(&seen, "v").code(), Code::closed);
  EXPECT_EQ(dict.erase("k").code(), Code::closed);
  EXPECT_EQ(dict.erase_at(seen).code(), Code::closed);
  EXPECT_EQ(dict.put_all(items).code(), Code::closed);
  EXPECT_EQ(dict.clear().code(), Code::closed);
  EXPECT_EQ(dict.put_child(Key{"k"}, child).code(), Code::closed);
  EXPECT_EQ(open.put_child(Key{"k"}, child).code(), Code::closed);
  EXPECT_EQ(dict.put_new_child("k", &child).code(), Code::closed);
  EXPECT_EQ(ChildBuilder(dict).make(&child).code(), Code::closed);
  EXPECT_EQ(dict.put(Key{"k"}, &staged, nullptr).code(), Code::closed);
  EXPECT_EQ(dict.put_at(&seen, &staged).code(), Code::closed);
  EXPECT_GT(staged.size(), 0U);
  EXPECT_EQ(dict.stage(parts, &staged).code(), Code::closed);
  EXPECT_EQ(staged.size(), 0U);
  EXPECT_EQ(dict.clean().code(), Code::closed);
  EXPECT_EQ(dict.dump().code(), Code::closed);
  EXPECT_EQ(dict.unlink().code(), Code::closed);
  EXPECT_TRUE(dict.close());
}

TEST(ClosedDict, IsNobodysAndHoldsNothing) {
  Dict dict;
  std::int32_t pid = 0;
  EXPECT_FALSE(dict.is_open());
  EXPECT_FALSE(dict.is_creator());
  EXPECT_EQ(dict.name(), "");
  EXPECT_EQ(dict.id(), "");
  EXPECT_EQ(dict.attributes(), "");
  EXPECT_EQ(dict.options().max_bytes, Options().max_bytes);
  EXPECT_EQ(dict.count(), 0U);
  EXPECT_EQ(dict.exotic_count(), 0U);
  EXPECT_EQ(dict.children_ended(), 0U);
  EXPECT_EQ(dict.stats().count, 0U);
  EXPECT_EQ(dict.lock().code(), Code::closed);
  EXPECT_EQ(dict.unlock().code(), Code::closed);
  EXPECT_FALSE(dict.try_lock());
  EXPECT_FALSE(dict.has_lock());
  EXPECT_EQ(dict.owner().number, 0U);
  EXPECT_FALSE(dict.has_recovery());
  EXPECT_FALSE(dict.take_recovery(&pid));
  dict.release_old_tables();
}

// As after std::move, and as when it is moved to itself.
TEST(ClosedDict, IsWhatAMovedHandleIs) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", "v"));
  Dict& itself = dict;
  dict = std::move(itself);
  EXPECT_EQ(value_of(dict, "k"), "v");
  const Dict moved = std::move(dict);
  // That is the question. NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  EXPECT_FALSE(dict.is_open());
  EXPECT_FALSE(dict.is_creator());
  EXPECT_EQ(value_of(moved, "k"), "v");
  const Dict attached = scratch.open();
  EXPECT_FALSE(attached.is_creator());
}

TEST(AttachedDict, KnowsAKeyThatIsNoneOfItsOwn) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("plain", "v"));
  Dict child;
  const Status status = dict.open_child("plain", &child);
  EXPECT_EQ(status.code(), Code::no_such_dict);
  EXPECT_EQ(status.message(), "dict 'dict': the value of the key is not a nested dict: get() it");
  ASSERT_TRUE(dict.put_new_child("nested", &child));
  EXPECT_EQ(child.exotic_count(), 0U);
  std::uint64_t links = 0;
  EXPECT_TRUE(child.link_count(&links));
  EXPECT_EQ(links, 1U);
  EXPECT_TRUE(dict.link_count(&links));
  EXPECT_EQ(links, 0U);
  Dict lost;
  const std::string name = child.name();
  ASSERT_TRUE(dict.erase("nested"));
  EXPECT_EQ(Dict::open(name, scratch.options(Create::never), &lost).code(), Code::dict_gone);
  EXPECT_EQ(child.count(), 0U);
}

TEST(StagedValueTest, OfAnotherDictOrNoneIsRefused) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict other = scratch.open("other");
  const std::string large(blob_size_min + 1, 'l');
  const Bytes parts[] = {large};
  StagedValue staged;
  Sighting seen;
  ASSERT_TRUE(dict.put("k", "v"));
  ASSERT_TRUE(dict.find("k", &seen, nullptr, nullptr));
  EXPECT_EQ(dict.put(Key{"k"}, &staged, nullptr).code(), Code::invalid_argument);
  ASSERT_TRUE(other.stage(parts, &staged));
  EXPECT_EQ(dict.put(Key{"k"}, &staged, nullptr).code(), Code::invalid_argument);
  EXPECT_EQ(dict.put_at(&seen, &staged).code(), Code::invalid_argument);
  ASSERT_TRUE(dict.stage(parts, &staged));
  EXPECT_EQ(dict.put(Key{std::string(key_size_max + 1, 'k')}, &staged, nullptr).code(), Code::invalid_argument);
  ASSERT_TRUE(dict.put_at(&seen, &staged));
  EXPECT_EQ(value_of(dict, "k"), large);
}

TEST(QuickPut, OfALargeValueIsRefusedAndSeesWhoHasTheLock) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Sighting seen;
  ASSERT_TRUE(dict.put(Key{"k"}, "v", &seen));
  const std::string large(blob_size_min + 1, 'l');
  EXPECT_EQ(dict.try_put_at(&seen, large).code(), Code::invalid_argument);
  EXPECT_EQ(dict.try_put(Key{std::string(key_size_max + 1, 'k')}, "v", nullptr).code(), Code::invalid_argument);
  ASSERT_TRUE(dict.try_put_at(&seen, "w"));
  EXPECT_EQ(value_of(dict, "k"), "w");
  {
    const ControlView control(dict);
    control->state.repair = 1;  // what only lock() may finish
    EXPECT_EQ(dict.try_put_at(&seen, "x").code(), Code::lock_busy);
    EXPECT_EQ(dict.try_put(Key{"k"}, "x", nullptr).code(), Code::lock_busy);
  }
  EXPECT_EQ(value_of(dict, "k"), "w");
  ASSERT_TRUE(dict.put("k", "y"));
  EXPECT_EQ(value_of(dict, "k"), "y");
}

TEST(Refusals, OfWhatIsTooLargeForAnyDict) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string key(key_size_max + 1, 'k');
  const Item items[] = {{Key{"fine"}, "v"}, {Key{key}, "v"}};
  EXPECT_EQ(dict.put_all(items).code(), Code::invalid_argument);
  EXPECT_EQ(dict.put(Key{"k", key}, "v", nullptr).code(), Code::invalid_argument);
  Dict child;
  ASSERT_TRUE(dict.put_new_child("child", &child));
  EXPECT_EQ(dict.put_child(Key{key}, child).code(), Code::invalid_argument);
  Sighting seen;
  ASSERT_TRUE(dict.find("child", &seen, nullptr, nullptr));
  // Never touched, so that it takes no memory.
  const Bytes huge("", static_cast<std::size_t>(value_size_max) + 1);
  EXPECT_EQ(dict.put_at(&seen, huge).code(), Code::invalid_argument);
  const Bytes parts[] = {huge};
  StagedValue staged;
  EXPECT_EQ(dict.stage(parts, &staged).code(), Code::invalid_argument);
  EXPECT_EQ(keys_of(dict), std::vector<std::string>{"child"});
}

TEST(Values, ThatHaveNoEncodingAreRefusedOnEveryWay) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const Value no_key(List{{1}});
  const Value no_text(std::string("\xff"));
  Value value;
  EXPECT_EQ(put(dict, no_key, 1).code(), Code::invalid_argument);
  EXPECT_EQ(put(dict, 1, no_text).code(), Code::invalid_argument);
  EXPECT_EQ(get(dict, no_key, &value).code(), Code::invalid_argument);
  EXPECT_EQ(contains(dict, no_key).code(), Code::invalid_argument);
  EXPECT_EQ(erase(dict, no_key).code(), Code::invalid_argument);
  EXPECT_EQ(get<int>(dict, 1), std::nullopt);
  EXPECT_EQ(Value("text").as<double>(), std::nullopt);
  EXPECT_EQ(put(dict, Value(FrozenSet{{no_text}}), 1).code(), Code::invalid_argument);
  ASSERT_TRUE(put(dict, 1, 2));
  EXPECT_TRUE(contains(dict, 1.0));
  EXPECT_TRUE(erase(dict, 1));
  EXPECT_EQ(dict.count(), 0U);
}

}  // namespace
}  // namespace ultradict::test
