// SPDX-License-Identifier: Apache-2.0
// A failed assertion ends no process: the open dict takes no more changes here, the others go on as after a death.
#include <gtest/gtest.h>

#include "store/change.h"
#include "store/cleaning.h"
#include "store/life.h"
#include "store/log.h"
#include "store/store.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"
#include "ultradict/large_value.h"

namespace ultradict::test {
namespace {

class Poison : public testing::Test {
 protected:
  Poison() : dict_(scratch_.open()), store_(find_open(dict_.id())) { EXPECT_TRUE(dict_.put("key", "before")); }

  void expect_poisoned(const std::string& what) {
    for (const Status& status : {dict_.put("key", "after"), dict_.erase("key"), dict_.clear(), dict_.lock()}) {
      EXPECT_EQ(status.code(), Code::internal);
      EXPECT_NE(status.message().find(what), std::string::npos) << status.message();
    }
    EXPECT_FALSE(dict_.try_lock());
    EXPECT_EQ(value_of(dict_, "key"), "before");
  }

  // Another process, and a handle that is opened anew here while the old one is still there.
  void expect_others_go_on() {
    EXPECT_EQ(in_child([&] {
                Dict dict = scratch_.open("dict", Create::never);
                require(dict.put("key", "by a child"));
              }),
              0);
    Dict anew = scratch_.open("dict", Create::never);
    EXPECT_EQ(value_of(anew, "key"), "by a child");
    EXPECT_TRUE(anew.put("key", "by a new handle"));
    expect_content(anew, {{"key", "by a new handle"}});
  }

  const Scratch scratch_;
  Dict dict_;
  std::shared_ptr<Store> store_;
};

TEST_F(Poison, AChangeOfWhoDoesNotOwnTheLockIsNotMade) {
  const Word stream = store_->state().stream;
  Change change(store_->regions, store_->lock.held());
  change.set(store_->state().stream, stream + 1);
  EXPECT_EQ(change.commit().code, Code::internal);
  EXPECT_EQ(store_->state().stream, stream);
  EXPECT_EQ(store_->control().journal.word, 0U);
  expect_poisoned("owns the lock");
  expect_others_go_on();
}

TEST_F(Poison, NeitherLargeValuesNorNestedDictsArePutAfterwards) {
  const std::string large(100'000, 'x');
  const Bytes parts[] = {large};
  Sighting seen;
  StagedValue first;
  StagedValue second;
  Dict child;
  ASSERT_TRUE(dict_.find("key", &seen, nullptr, nullptr));
  ASSERT_TRUE(dict_.stage(parts, &first));
  ASSERT_TRUE(dict_.stage(parts, &second));
  Change change(store_->regions, store_->lock.held());
  change.set(store_->state().stream, store_->state().stream + 1);
  EXPECT_EQ(change.commit().code, Code::internal);
  EXPECT_EQ(dict_.put(Key{"key"}, &first, nullptr).code(), Code::internal);
  EXPECT_EQ(dict_.put_at(&seen, &second).code(), Code::internal);
  EXPECT_EQ(dict_.put_new_child("nested", &child).code(), Code::internal);
  EXPECT_EQ(ChildBuilder(dict_).make(&child).code(), Code::internal);
  EXPECT_EQ(content_of(dict_), (Content{{"key", "before"}}));
}

TEST_F(Poison, B15_ALockWordThatIsDamagedMeanwhileEndsTheSearchForMemory) {
  const std::string value(200, 'x');
  for (int i = 0; i < 6000; ++i) ASSERT_TRUE(dict_.put("k" + std::to_string(i % 3000), value));
  ASSERT_FALSE(store_->enter({}));
  ASSERT_FALSE(close_tail(*store_, store_->lock.held()));
  shared::store(store_->control().lock, store_->control().lock ^ 0x4000);
  int gained = 0;
  while (gained < 1000 && !reclaim(*store_, store_->lock.held())) ++gained;
  EXPECT_LT(gained, 1000);
  EXPECT_TRUE(store_->poison());
}

TEST_F(Poison, AChangeThatOutgrowsTheJournalIsNotMade) {
  const Word recoveries = store_->state().recoveries;
  ASSERT_FALSE(store_->enter({}));
  Change change(store_->regions, store_->lock.held());
  for (Word i = 0; i <= stores_max; ++i) change.set(store_->state().stream, i);
  EXPECT_EQ(change.commit().code, Code::internal);
  store_->leave_held();
  expect_poisoned("fit into the journal");
  expect_others_go_on();
  EXPECT_EQ(store_->state().recoveries, recoveries + 1);
}

TEST_F(Poison, TheLockOfAnotherIsNotGivenAway) {
  ASSERT_FALSE(store_->enter({}));
  const Word mine = store_->control().lock;
  const Word other = LockWord::owned(LockWord{mine}.number(), LockWord{mine}.generation() + 2).word;
  store_->control().lock = other;
  store_->leave_held();
  EXPECT_EQ(store_->control().lock, other);
  expect_poisoned("gives the lock back");
  store_->control().lock = 0;
  expect_others_go_on();
}

}  // namespace
}  // namespace ultradict::test
