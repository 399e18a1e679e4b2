// SPDX-License-Identifier: Apache-2.0
// Dicts that are built before a key refers to them: what becomes of them, and of what others do meanwhile.
#include <gtest/gtest.h>

#include <memory>

#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

TEST(NestedBuilding, WhatWasBuiltAndNotLinkedIsFreed) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child;
  {
    ChildBuilder builder(dict);
    ASSERT_TRUE(builder.make(&child));
    ASSERT_TRUE(child.put("x", std::string(50'000, 'x')));
    ASSERT_TRUE(child.put_new_child("y", &child));
    EXPECT_EQ(dict.stats().dict_count, 2U);
  }
  EXPECT_EQ(child.alive().code(), Code::dict_gone);
  EXPECT_EQ(dict.stats().dict_count, 0U);
  expect_content(dict, {});
  EXPECT_EQ(orphans_of(dict), "");
}

// Who erases the last key gives the memory of table and log back, all nested dicts with it: not one that is being
// built.
TEST(NestedBuilding, TheLastKeyThatIsErasedLeavesWhatIsBuilt) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(dict.put("k" + std::to_string(i), "v"));
  {
    Dict child;
    ChildBuilder builder(dict);
    ASSERT_TRUE(builder.make(&child));
    for (int i = 0; i < 5000; ++i) ASSERT_TRUE(dict.erase("k" + std::to_string(i)));
    ASSERT_TRUE(child.put("x", "1"));
    ASSERT_TRUE(dict.put_child(Key{"built"}, child));
  }
  expect_content(dict, {{"built", nested_value}, {"built/x", "1"}});
}

TEST(NestedBuilding, WhatIsLinkedAndOverwrittenWhileItIsBuiltIsFreed) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child;
  {
    ChildBuilder builder(dict);
    ASSERT_TRUE(builder.make(&child));
    ASSERT_TRUE(child.put("x", "1"));
    for (const char* key : {"a", "b"}) ASSERT_TRUE(dict.put_child(Key{key}, child));
    for (const char* key : {"a", "b"}) ASSERT_TRUE(dict.put(key, "something else"));
  }
  EXPECT_EQ(child.alive().code(), Code::dict_gone);
  EXPECT_EQ(dict.stats().dict_count, 0U);
  expect_content(dict, {{"a", "something else"}, {"b", "something else"}});
}

// A process that forks while another thread builds must not believe for ever that somebody builds.
TEST(NestedBuilding, AChildForkedWhileOneIsBuiltFreesWhatItDeletes) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child;
  ASSERT_TRUE(dict.put_new_child("n", &child));
  ASSERT_TRUE(child.put("x", "1"));
  Gate built;
  std::unique_ptr<Child> process;
  {
    const ChildBuilder builder(dict);
    process = std::make_unique<Child>([&] {
      built.wait();
      require(dict.erase("n"));
      require(dict.stats().dict_count == 0);
    });
  }
  built.open();
  EXPECT_EQ(process->wait(), 0);
  expect_content(dict, {});
}

// exit() unwinds nothing: the handle ends, and with it the lock, but not the builder.
TEST(NestedBuilding, AProcessThatExitsWhileOneIsBuiltLeavesNoneLoose) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Child process([&] {
    static Dict own = scratch.open();
    ChildBuilder builder(own);
    Dict child;
    require(builder.make(&child));
    require(child.put("x", "1"));
    require(child.close());
    dict = Dict();
    std::exit(3);  // NOLINT(concurrency-mt-unsafe): nobody else is there
  });
  EXPECT_EQ(process.wait(), 3);
  ASSERT_TRUE(dict.put("k", "v"));
  expect_content(dict, {{"k", "v"}});
  EXPECT_EQ(dict.stats().dict_count, 0U);
}

// Of a process that exits while a thread of it is inside, others repair what that left.
TEST(NestedBuilding, AProcessThatExitsWhileAnotherThreadBuildsLeavesNoneLoose) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Child process([&] {
    static Dict own = scratch.open();
    dict = Dict();
    Gate built;
    std::thread builds([&] {
      Dict child;
      ChildBuilder builder(own);
      require(builder.make(&child));
      require(child.put("x", "1"));
      require(child.close());
      built.open();
      ::pause();
    });
    built.wait();
    builds.detach();
    std::exit(3);  // NOLINT(concurrency-mt-unsafe): nobody else is there
  });
  EXPECT_EQ(process.wait(), 3);
  ASSERT_TRUE(dict.put("k", "v"));
  expect_content(dict, {{"k", "v"}});
  EXPECT_EQ(dict.stats().dict_count, 0U);
}

}  // namespace
}  // namespace ultradict::test
