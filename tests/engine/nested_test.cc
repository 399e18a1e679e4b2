// SPDX-License-Identifier: Apache-2.0
// Dicts that are values: what they share with their root, how long they live, and what a handle of a dead one says.
#include "store/nested.h"

#include <gtest/gtest.h>

#include "store/child_name.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

Dict new_child(Dict& dict, const std::string& key) {
  Dict child;
  const Status status = dict.put_new_child(key, &child);
  EXPECT_TRUE(status) << status.message();
  return child;
}

Dict child_at(const Dict& dict, const std::string& key) {
  Dict child;
  const Status status = dict.open_child(key, &child);
  EXPECT_TRUE(status) << status.message();
  return child;
}

Code link(Dict& dict, const std::string& key, const Dict& child) { return dict.put_child(Key{key}, child).code(); }

TEST(Nested, TheSameKeyIsSomethingElseInEachDict) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict one = new_child(dict, "one");
  Dict two = new_child(dict, "two");
  ASSERT_TRUE(dict.put("key", "root"));
  ASSERT_TRUE(one.put("key", "1"));
  ASSERT_TRUE(two.put("key", "2"));
  ASSERT_TRUE(one.put("key", "1 again"));
  ASSERT_TRUE(two.erase("key"));
  expect_content(dict, {{"one", "{}"}, {"one/key", "1 again"}, {"two", "{}"}, {"key", "root"}});
  EXPECT_EQ(one.count(), 1U);
  EXPECT_EQ(two.count(), 0U);
  EXPECT_EQ(two.contains("key").code(), Code::not_found);
}

TEST(Nested, KeepsItsOwnOrderAndCounts) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child = new_child(dict, "child");
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(dict.put("r" + std::to_string(i), "root"));
    ASSERT_TRUE(child.put(Key{"c" + std::to_string(i), {}, i % 3 == 0}, "child", nullptr));
  }
  for (int i = 0; i < 300; i += 2) ASSERT_TRUE(child.erase("c" + std::to_string(i)));
  std::vector<std::string> expected;
  for (int i = 1; i < 300; i += 2) expected.push_back("c" + std::to_string(i));
  EXPECT_EQ(keys_of(child), expected);
  EXPECT_EQ(keys_of(child, Cursor::Direction::backward), std::vector<std::string>(expected.rbegin(), expected.rend()));
  EXPECT_EQ(child.count(), 150U);
  EXPECT_EQ(child.exotic_count(), 50U);
  EXPECT_EQ(dict.count(), 301U);
  EXPECT_EQ(dict.exotic_count(), 0U);
  expect_sound(dict);
}

TEST(Nested, AnotherProcessOpensItByKeyAndByName) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child = new_child(dict, "child");
  EXPECT_EQ(in_child([&] {
              Dict by_key = child_at(scratch.open(), "child");
              require(by_key.put("by", "key"));
              Dict by_name;
              require(Dict::open(child.name(), scratch.options(), &by_name));
              require(by_name.put("named", "too"));
            }),
            0);
  expect_content(dict, {{"child", "{}"}, {"child/by", "key"}, {"child/named", "too"}});
  Dict again;
  EXPECT_EQ(Dict::open(child.name(), scratch.options(Create::always), &again).code(), Code::already_exists);
  EXPECT_FALSE(again.is_open());
  EXPECT_EQ(dict.open_child(ChildId{}, &again).code(), Code::no_such_dict);
}

TEST(Nested, ItsNameMeansNoOtherDict) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string name = new_child(dict, "child").name();
  ASSERT_TRUE(dict.unlink());
  ASSERT_TRUE(dict.close());
  Dict found;
  EXPECT_EQ(Dict::open(name, scratch.options(), &found).code(), Code::no_such_dict);
  Dict other = scratch.open();
  new_child(other, "child");
  EXPECT_EQ(Dict::open(name, scratch.options(), &found).code(), Code::no_such_dict);
  for (const char* wrong : {"dict/", "dict/x-1-1", "/", "dict/0123456789abcdef0123456789abcdef-0-1"}) {
    ChildName parsed;
    EXPECT_FALSE(ChildName::parse(wrong, &parsed)) << wrong;
  }
}

TEST(Nested, LivesAsLongAsAKeyRefersToIt) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child = new_child(dict, "a");
  ASSERT_TRUE(child.put("x", "1"));
  ASSERT_EQ(link(dict, "b", child), Code::ok);
  std::uint64_t links = 0;
  ASSERT_TRUE(child.link_count(&links));
  EXPECT_EQ(links, 2U);
  ASSERT_TRUE(dict.erase("a"));
  EXPECT_EQ(value_of(child, "x"), "1");
  ASSERT_TRUE(dict.put("b", "no dict any more"));
  std::string value;
  EXPECT_EQ(child.get("x", &value).code(), Code::dict_gone);
  EXPECT_EQ(child.contains("y").code(), Code::dict_gone);
  EXPECT_EQ(child.put("x", "2").code(), Code::dict_gone);
  EXPECT_EQ(child.erase("x").code(), Code::dict_gone);
  EXPECT_EQ(child.clear().code(), Code::dict_gone);
  EXPECT_EQ(child.link_count(&links).code(), Code::dict_gone);
  EXPECT_EQ(child.alive().code(), Code::dict_gone);
  const Item item{Key{"x"}, "3"};
  EXPECT_EQ(child.put_all({&item, 1}).code(), Code::dict_gone);
  EXPECT_EQ(child.put_all({}).code(), Code::dict_gone);
  EXPECT_EQ(link(dict, "c", child), Code::dict_gone);
  Sighting seen;
  EXPECT_EQ(Cursor(child).next(&seen).code(), Code::dict_gone);
  EXPECT_EQ(child.count(), 0U);
  EXPECT_EQ(dict.stats().dict_count + dict.stats().nested_count, 0U);
  expect_content(dict, {{"b", "no dict any more"}});
}

// Beside each other, and beside what is none: each link is counted, and the order is theirs.
TEST(Nested, ABatchMayPutSeveral) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict one = new_child(dict, "one");
  Dict two = new_child(dict, "two");
  const Item items[] = {{Key{"a"}, {}, one.child_id()},
                        {Key{"b"}, "1"},
                        {Key{"c"}, {}, two.child_id()},
                        {Key{"d"}, {}, one.child_id()},
                        {Key{"e"}, "2"}};
  ASSERT_TRUE(dict.put_all(items));
  EXPECT_EQ(keys_of(dict), (std::vector<std::string>{"one", "two", "a", "b", "c", "d", "e"}));
  std::uint64_t links = 0;
  EXPECT_TRUE(one.link_count(&links));
  EXPECT_EQ(links, 3U);
  EXPECT_TRUE(two.link_count(&links));
  EXPECT_EQ(links, 2U);
  EXPECT_EQ(unsoundness_of(dict), "");
}

// Its number is soon that of another dict; a handle of the old one must not take it for its own.
TEST(Nested, AHandleOfADeadOneNeverSeesItsSuccessor) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict dead = new_child(dict, "a");
  ASSERT_TRUE(dead.put("x", "1"));
  ASSERT_TRUE(dict.erase("a"));
  for (int i = 0; i < 50; ++i) {
    Dict next = new_child(dict, "a" + std::to_string(i));
    ASSERT_TRUE(next.put("x", "2"));
    EXPECT_EQ(dead.contains("x").code(), Code::dict_gone);
    EXPECT_EQ(dead.put("x", "3").code(), Code::dict_gone);
    EXPECT_EQ(value_of(next, "x"), "2");
  }
  expect_sound(dict);
}

TEST(Nested, ClearingTheRootEndsThemAll) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child = new_child(dict, "a");
  Dict grandchild = new_child(child, "b");
  ASSERT_TRUE(dict.clear());
  EXPECT_EQ(child.alive().code(), Code::dict_gone);
  EXPECT_EQ(grandchild.put("x", "1").code(), Code::dict_gone);
  Dict anew = new_child(dict, "a");
  ASSERT_TRUE(anew.put("x", "1"));
  EXPECT_EQ(child.contains("x").code(), Code::dict_gone);
  expect_content(dict, {{"a", "{}"}, {"a/x", "1"}});
}

TEST(Nested, ClearingOneLeavesItsParentAndEndsItsOwn) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child = new_child(dict, "a");
  Dict grandchild = new_child(child, "b");
  ASSERT_TRUE(child.put("c", std::string(50'000, 'c')));
  ASSERT_TRUE(child.clear());
  EXPECT_EQ(grandchild.alive().code(), Code::dict_gone);
  ASSERT_TRUE(child.put("d", "e"));
  expect_content(dict, {{"a", "{}"}, {"a/d", "e"}});
  EXPECT_EQ(orphans_of(dict), "");
}

TEST(Nested, DeepOnesAreFreedToTheLast) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict at = new_child(dict, "n");
  for (int depth = 0; depth < 2000; ++depth) {
    ASSERT_TRUE(at.put("x", "y"));
    at = new_child(at, "n");
  }
  EXPECT_EQ(dict.stats().dict_count, 2001U);
  ASSERT_TRUE(dict.erase("n"));
  EXPECT_EQ(dict.stats().dict_count + dict.stats().nested_count + dict.stats().live_size, 0U);
  expect_content(dict, {});
}

TEST(Nested, ALinkThatWouldCloseACycleIsRefused) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict a = new_child(dict, "a");
  Dict b = new_child(a, "b");
  Dict c = new_child(b, "c");
  EXPECT_EQ(link(a, "self", a), Code::would_cycle);
  EXPECT_EQ(link(c, "up", a), Code::would_cycle);
  EXPECT_EQ(link(c, "root", dict), Code::would_cycle);
  EXPECT_EQ(link(a, "down", c), Code::ok);
  const Item items[] = {{Key{"x"}, "1"}, {Key{"up"}, {}, a.child_id()}};
  EXPECT_EQ(c.put_all(items).code(), Code::would_cycle);
  {
    ChildBuilder builder(dict);
    Dict wrapped;
    ASSERT_TRUE(builder.make(&wrapped));
    ASSERT_EQ(link(wrapped, "inner", a), Code::ok);
    EXPECT_EQ(link(b, "wrapped", wrapped), Code::would_cycle);
    EXPECT_EQ(link(wrapped, "self", wrapped), Code::would_cycle);
  }
  expect_content(c, {});
}

TEST(Nested, OnlyOneOfTheSameDictIsLinked) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict other = scratch.open("other");
  Dict foreign = new_child(other, "a");
  EXPECT_EQ(link(dict, "a", foreign), Code::invalid_argument);
  EXPECT_EQ(link(dict, "a", other), Code::invalid_argument);
  EXPECT_EQ(link(dict, "a", dict), Code::would_cycle);
  expect_content(dict, {});
}

TEST(Nested, TheSameValueAgainKeepsIt) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child = new_child(dict, "a");
  ASSERT_TRUE(child.put("x", "1"));
  ASSERT_EQ(link(dict, "a", child), Code::ok);
  const Item item{Key{"a"}, {}, child.child_id()};
  ASSERT_TRUE(dict.put_all({&item, 1}));
  expect_content(dict, {{"a", "{}"}, {"a/x", "1"}});
}

TEST(Nested, HasNoUnlinkOfItsOwn) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child = new_child(dict, "a");
  EXPECT_EQ(child.unlink().code(), Code::invalid_argument);
  EXPECT_TRUE(child.put("x", "1"));
}

TEST(Nested, KeepsTheFilesOpenWhenTheRootsHandleIsClosed) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child = new_child(dict, "a");
  ASSERT_TRUE(dict.close());
  ASSERT_TRUE(child.put("x", "1"));
  EXPECT_EQ(value_of(scratch.open(), "a/x"), "1");
}

TEST(Nested, SurvivesGrowthAndCleaning) {
  const Scratch scratch;
  Dict dict = scratch.open();
  std::vector<Dict> children;
  for (int i = 0; i < 300; ++i) children.push_back(new_child(dict, "n" + std::to_string(i)));
  for (int round = 0; round < 30; ++round) {
    for (Dict& child : children) ASSERT_TRUE(child.put("k" + std::to_string(round % 7), std::string(100, 'v')));
  }
  ASSERT_TRUE(dict.clean());
  for (int i = 0; i < 300; i += 3) ASSERT_TRUE(dict.erase("n" + std::to_string(i)));
  for (int i = 0; i < 300; ++i) EXPECT_EQ(children[i].alive().code(), i % 3 == 0 ? Code::dict_gone : Code::ok);
  EXPECT_EQ(dict.stats().nested_count, 200U * 7);
  expect_sound(dict);
}

TEST(Nested, RandomOperationsLeaveItSound) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Random random(7);
  std::vector<Dict> handles;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = "k" + std::to_string(random.below(6));
    Dict* at = &dict;
    if (!handles.empty() && random.below(3) != 0) at = &handles[random.below(handles.size())];
    switch (random.below(7)) {
      case 0:
        (void)at->erase(key);
        break;
      case 1:
        if (!handles.empty()) (void)at->put_child(Key{key}, handles[random.below(handles.size())]);
        break;
      case 2:
        if (random.below(20) == 0) (void)at->clear();
        break;
      case 3:
      case 4: {
        Dict child;
        if (at->put_new_child(key, &child)) handles.push_back(std::move(child));
        if (handles.size() > 40) handles.erase(handles.begin() + static_cast<long>(random.below(handles.size())));
        break;
      }
      default:
        (void)at->put(key, std::string(random.below(300), 'v'));
    }
    if (i % 500 == 0) expect_sound(dict);
    if (HasFailure()) FAIL() << "after operation " << i;
  }
  expect_sound(dict);
  ASSERT_TRUE(dict.clear());
}

// A reader of a nested dict beside one who makes and ends such dicts sees a whole value, or that the dict is gone.
TEST(Nested, ReadersBesideTheirEndSeeTheirValuesOrNone) {
  const Scratch scratch;
  Dict dict = scratch.open();
  SharedNote<std::atomic<bool>> stop;
  Child writer([&] {
    for (int i = 0; !stop->load(); ++i) {
      ChildBuilder builder(dict);
      Dict child;
      require(builder.make(&child));
      for (const char* key : {"x", "y"}) require(child.put(key, marked_value("n", i, 20)));
      require(dict.put_child(Key{"n"}, child));
    }
  });
  std::uint64_t whole = 0;
  for (int i = 0; i < 40'000 || whole == 0; ++i) {
    Dict child;
    if (!dict.open_child("n", &child)) continue;
    std::string x;
    std::string y;
    const Code code = child.get("x", &x).code();
    ASSERT_TRUE(code == Code::ok || code == Code::dict_gone || code == Code::not_found) << static_cast<int>(code);
    if (!child.get("y", &y) || code != Code::ok) continue;
    ASSERT_TRUE(is_marked("n", x));
    ASSERT_EQ(x, y) << "of two dicts";
    ++whole;
  }
  stop->store(true);
  EXPECT_EQ(writer.wait(), 0);
  expect_sound(dict);
}

}  // namespace
}  // namespace ultradict::test
