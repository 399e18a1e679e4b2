// SPDX-License-Identifier: Apache-2.0
// A fork with an open dict: the child is a participant of its own, and its end harms nobody.
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

TEST(Fork, C1_C3_ChildOfForkReadsAndWritesAndItsEndHarmsNobody) {
  const Scratch scratch;
  Dict dict = scratch.open("dict", scratch.mortal());
  ASSERT_TRUE(dict.put("k", "parent"));
  EXPECT_EQ(in_child([&] {
              require(!dict.is_creator());
              require(value_of(dict, "k") == "parent");
              for (int i = 0; i < 1000; ++i) require(dict.put("c" + std::to_string(i), std::string(300, 'c')));
              require(dict.put("blob", std::string(50'000, 'c')));
              require(dict.close());
            }),
            0);
  EXPECT_TRUE(exists(scratch));
  EXPECT_TRUE(dict.is_creator());
  EXPECT_EQ(dict.count(), 1002U);
  ASSERT_TRUE(dict.put("k", "parent again"));
  expect_sound(dict);
  EXPECT_EQ(in_child([&] { Dict moved(std::move(dict)); }), 0);
  EXPECT_TRUE(exists(scratch));
  ASSERT_TRUE(dict.close());
  EXPECT_FALSE(exists(scratch));
  EXPECT_EQ(dicts_in(scratch), 0U);
}

TEST(Fork, ChildThatOutlivesTheCreatorKeepsTheContent) {
  const Scratch scratch;
  Gate parent_gone;
  Gate looked;
  auto dict = std::make_unique<Dict>(scratch.open("dict", scratch.mortal()));
  ASSERT_TRUE(dict->put("k", "v"));
  Child child([&] {
    parent_gone.wait();
    require(value_of(*dict, "k") == "v");
    require(dict->put("l", "w"));
    require(dict->check().sound());
    looked.open();
    require(dict->close());
  });
  ASSERT_TRUE(dict->close());
  EXPECT_FALSE(exists(scratch));
  parent_gone.open();
  looked.wait();
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(dicts_in(scratch), 0U);
}

TEST(Fork, GrandchildrenAreParticipantsOfTheirOwn) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.lock());
  const std::uint32_t number = dict.owner().number;
  ASSERT_TRUE(dict.unlock());
  EXPECT_EQ(in_child([&] {
              require(dict.lock());
              const std::uint32_t own = dict.owner().number;
              require(own != number);
              require(in_child([&] {
                        require(!dict.has_lock());
                        require(dict.lock(Wait{0}).code() == Code::lock_busy);
                      }) == 0);
              require(dict.unlock());
              require(in_child([&] {
                        require(dict.lock());
                        require(dict.owner().number != own && dict.owner().number != number);
                      }) == 0);
              require(dict.put("k", "v"));
            }),
            0);
  expect_content(dict, {{"k", "v"}});
}

}  // namespace
}  // namespace ultradict::test
