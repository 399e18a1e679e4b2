// SPDX-License-Identifier: Apache-2.0
// auto_unlink: the end of a creator, normal or by a kill, and the sweep of what nobody asks for.
#include "store/life.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

TEST(LifeOfCreator, NameGoesWithItsCreator) {
  const Scratch scratch;
  {
    const Dict dict = scratch.open("dict", scratch.mortal());
    EXPECT_TRUE(exists(scratch));
  }
  EXPECT_FALSE(exists(scratch));
  EXPECT_EQ(dicts_in(scratch), 0U);
}

TEST(LifeOfCreator, WhoIsAttachedGoesOnWhenTheCreatorHasClosed) {
  const Scratch scratch;
  Gate created;
  Gate attached;
  Child creator([&] {
    Dict dict = scratch.open("dict", scratch.mortal());
    require(dict.put("k", "v"));
    created.open();
    attached.wait();
    require(dict.close());
  });
  created.wait();
  Dict dict = scratch.open("dict", Create::never);
  attached.open();
  EXPECT_EQ(creator.wait(), 0);
  EXPECT_FALSE(dict.id().empty());
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(dict.put("k" + std::to_string(i), std::string(500, 'v')));
  expect_sound(dict);
  EXPECT_EQ(dicts_in(scratch), 1U);
  EXPECT_EQ(in_child([&] { require(!exists(scratch)); }), 0);
  ASSERT_TRUE(dict.close());
  EXPECT_EQ(dicts_in(scratch), 0U);
}

TEST(LifeOfCreator, KilledCreatorsDictIsReachableWhileSomebodyIsAttached) {
  const Scratch scratch;
  Gate created;
  Child creator([&] {
    Dict dict = scratch.open("dict", scratch.mortal());
    require(dict.put("k", "v"));
    created.open();
    for (;;) ::pause();
  });
  created.wait();
  Dict dict = scratch.open("dict", Create::never);
  creator.kill_and_wait();
  EXPECT_EQ(in_child([&] { require(value_of(scratch.open("dict", Create::never), "k") == "v"); }), 0);
  expect_content(dict, {{"k", "v"}});
  ASSERT_TRUE(dict.close());
  EXPECT_EQ(dicts_in(scratch), 0U);
  EXPECT_FALSE(exists(scratch));
}

TEST(LifeOfCreator, NobodyReadsADeadRunsData) {
  const Scratch scratch;
  Gate created;
  Child creator([&] {
    Dict dict = scratch.open("dict", scratch.mortal());
    require(dict.put("k", "of the dead run"));
    created.open();
    for (;;) ::pause();
  });
  created.wait();
  creator.kill_and_wait();
  Dict dict = scratch.open("dict", Create::if_missing);
  EXPECT_TRUE(dict.is_creator());
  expect_content(dict, {});
  EXPECT_EQ(dicts_in(scratch), 1U);
}

TEST(LifeOfCreator, LeftOversNobodyAsksForAreSweptByOtherCreations) {
  const Scratch scratch;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(in_child([&] {
                auto* left = new Dict(scratch.open("left" + std::to_string(i), scratch.mortal()));
                require(left->put("k", "v"));
                ::_exit(0);
              }),
              0);
  }
  for (int i = 0; i < 12; ++i) (void)scratch.open("sweeper", scratch.mortal());
  EXPECT_EQ(dicts_in(scratch), 0U);
}

TEST(LifeOfCreator, LeftOversAreSweptByWhoOpensItsFirstDict) {
  const Scratch scratch;
  const Dict anchor = scratch.open("anchor");
  ASSERT_EQ(in_child([&] {
              for (int i = 0; i < 30; ++i) (void)new Dict(scratch.open("left" + std::to_string(i), scratch.mortal()));
              ::_exit(0);
            }),
            0);
  EXPECT_EQ(dicts_in(scratch), 31U);
  EXPECT_EQ(in_child([&] { require(scratch.open("anchor", Create::never).is_open()); }), 0);
  EXPECT_EQ(dicts_in(scratch), 1U);
}

// Whoever looks sees only a part, but not always the same part: also the children of one parent, which has looked.
TEST(LifeOfCreator, LeftOversAmongManyDictsAreSweptByShortProcesses) {
  if (forks_are_slow()) GTEST_SKIP() << "ThreadSanitizer loses count of more than 64 mutexes that fork takes";
  const Scratch scratch;
  const auto make = [&](const std::string& name, const Options& options) {
    ASSERT_EQ(in_child([&] {
                (void)new Dict(scratch.open(name, options));
                ::_exit(0);
              }),
              0);
  };
  std::vector<Dict> of_parent;
  for (int i = 0; i < 100; ++i) of_parent.push_back(scratch.open("parent's " + std::to_string(i)));
  make("left", scratch.mortal());
  for (int i = 0; i < 100; ++i) make("kept" + std::to_string(i), scratch.options(Create::always));
  for (int tries = 0; tries < 1000 && dicts_in(scratch) > 200; ++tries) {
    ASSERT_EQ(in_child([&] { require(scratch.open("kept0", Create::never).is_open()); }), 0);
  }
  EXPECT_EQ(dicts_in(scratch), 200U);
}

TEST(LifeOfCreator, WithoutAutoUnlinkNothingButUnlinkRemovesIt) {
  const Scratch scratch;
  ASSERT_EQ(in_child([&] { require(scratch.open().put("k", "v")); }), 0);
  for (int i = 0; i < 12; ++i) (void)scratch.open("sweeper", scratch.mortal());
  expect_content(scratch.open("dict", Create::never), {{"k", "v"}});
  ASSERT_TRUE(Dict::unlink("dict", scratch.path()));
  EXPECT_EQ(dicts_in(scratch), 0U);
  EXPECT_EQ(Dict::unlink("dict", scratch.path()).code(), Code::no_such_dict);
}

TEST(LifeOfCreator, ItEndsWithTheLastHandleOfItsCreator) {
  const Scratch scratch;
  Dict first = scratch.open("dict", scratch.mortal());
  Dict second = scratch.open("dict", Create::never);
  EXPECT_FALSE(second.is_creator());
  ASSERT_TRUE(first.put("k", "v"));
  ASSERT_TRUE(first.close());
  expect_content(second, {{"k", "v"}});
  EXPECT_EQ(in_child([&] { require(value_of(scratch.open("dict", Create::never), "k") == "v"); }), 0);
  ASSERT_TRUE(second.close());
  EXPECT_EQ(dicts_in(scratch), 0U);
  EXPECT_FALSE(exists(scratch));
}

// The one that closes what was the last handle, and the one that opens one more, may be threads of one process.
TEST(LifeOfCreator, ItHasItsNameWhileItsCreatorHasAHandle) {
  const Scratch scratch;
  std::atomic<int> lost = 0;
  const int rounds = is_sanitized() ? 1000 : 20'000;
  const auto open_and_close = [&] {
    for (int round = 0; round < rounds; ++round) {
      const Dict dict = scratch.open("dict", scratch.mortal());
      Dict again;
      const Status status = Dict::open("dict", scratch.options(Create::never), &again);
      if (!status || again.id() != dict.id()) ++lost;
    }
  };
  std::thread other(open_and_close);
  open_and_close();
  other.join();
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(dicts_in(scratch), 0U);
}

TEST(LifeOfCreator, ProcessThatLeavesAllIsNoLongerAttachedAndItsDictsEnd) {
  const Scratch scratch;
  ASSERT_TRUE(scratch.open("kept").put("k", "v"));
  Gate left;
  Gate looked;
  Child leaver([&] {
    Dict made = scratch.open("made", scratch.mortal());
    Dict kept = scratch.open("kept", Create::never);
    require(made.put("k", "v"));
    Dict::leave_all();
    require(value_of(made, "k") == "v" && made.put("k", "w"));
    left.open();
    looked.wait();
    require(value_of(kept, "k") == "v");
  });
  left.wait();
  EXPECT_FALSE(exists(scratch, "made"));
  EXPECT_EQ(dicts_in(scratch), 1U);
  ASSERT_TRUE(Dict::unlink("kept", scratch.path()));
  EXPECT_EQ(dicts_in(scratch), 0U) << "it still counts as attached";
  looked.open();
  EXPECT_EQ(leaver.wait(), 0);
}

TEST(LifeOfCreator, WhoLeavesAllTakesNothingFromOthers) {
  const Scratch scratch;
  Gate created;
  Gate attached;
  Child creator([&] {
    const Dict dict = scratch.open("dict", scratch.mortal());
    created.open();
    attached.wait();
    Dict::leave_all();
    ::_exit(0);
  });
  created.wait();
  Dict dict = scratch.open("dict", Create::never);
  attached.open();
  EXPECT_EQ(creator.wait(), 0);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(dict.put("k" + std::to_string(i), std::string(500, 'v')));
  expect_sound(dict);
  ASSERT_TRUE(dict.close());
  EXPECT_EQ(dicts_in(scratch), 0U);
}

}  // namespace
}  // namespace ultradict::test
