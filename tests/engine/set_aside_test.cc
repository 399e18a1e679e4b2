// SPDX-License-Identifier: Apache-2.0
// full_dump_size: memory that is set aside when the dict is created stays the dict's where memory is full, whatever
// else is refused for it.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"
#include "support/small_memory.h"

namespace ultradict::test {
namespace {

constexpr std::uint64_t set_aside = 4 << 20;

class SetAside : public testing::Test {
 protected:
  void SetUp() override {
    if (!memory.is_there()) GTEST_SKIP() << "mounting is not permitted";
  }

  // In a process of its own: SIGBUS is looked for, too.
  void in_full_memory(const std::function<void(Dict&)>& body) const {
    Options options = memory.options();
    options.full_dump_size = set_aside;
    EXPECT_EQ(in_child([&] {
                Dict dict;
                require(Dict::open("dict", options, &dict));
                require(dict.put("k", "v"));
                memory.fill_up();
                body(dict);
                require(dict.check().sound());
                require(orphans_of(dict).empty());
              }),
              0);
  }

  // Others find nothing that was the dict's, and its content has the room that it was promised.
  void expect_it_is_there(Dict& dict, std::uint64_t keys) const {
    require(dict.stats().log_size >= set_aside);
    memory.fill_up();
    const std::size_t size = set_aside / 2 / keys;
    for (std::uint64_t i = 0; i < 20 * keys; ++i) {
      require(dict.put(key(i % keys), std::string(std::min(size, blob_size_min), static_cast<char>('a' + i % 26))));
      require(dict.stats().log_size >= set_aside);
    }
  }

  const SmallMemory memory{16 << 20};
};

TEST_F(SetAside, D2_NewKeysThatFindNoRoomForTheirTableDoNotTakeIt) {
  in_full_memory([&](Dict& dict) {
    std::uint64_t count = 0;
    Status status;
    while ((status = dict.put(key(count), "v")) && count < 100'000) ++count;
    require(status.code() == Code::memory_full);
    expect_it_is_there(dict, count);
  });
}

TEST_F(SetAside, D2_ALargeValueThatFindsNoRoomDoesNotTakeIt) {
  in_full_memory([&](Dict& dict) {
    require(dict.put("large", std::string(set_aside - 1000, 'x')).code() == Code::memory_full);
    expect_it_is_there(dict, 1);
  });
}

// Where memory is full as well, that it is too large is what is told, and nothing was tried.
TEST_F(SetAside, D2_AValueLargerThanAllContentIsRefusedUnwritten) {
  in_full_memory([&](Dict& dict) {
    const std::string large(set_aside + 1, 'x');
    const Bytes parts[] = {large};
    const std::vector<Item> items{{Key{"a"}, "small"}, {Key{"l"}, large}};
    StagedValue staged;
    Sighting seen;
    require(dict.find("k", &seen, nullptr, nullptr));
    require(dict.put("l", large).code() == Code::content_full);
    require(dict.put_at(&seen, large).code() == Code::content_full);
    require(dict.put_all(items).code() == Code::content_full);
    require(dict.stage(parts, &staged).code() == Code::content_full);
    expect_it_is_there(dict, 1);
  });
}

// What the log had grown beyond it goes back.
TEST_F(SetAside, WhatIsMoreThanThatGoesBackWhenTheDictIsEmpty) {
  const Scratch scratch;
  Options options = scratch.options();
  options.full_dump_size = set_aside;
  Dict dict = scratch.open("dict", options);
  const std::string value(20'000, 'v');
  for (std::uint64_t i = 0; i < set_aside / 21'000; ++i) ASSERT_TRUE(dict.put(key(i), value));
  for (std::uint64_t i = 0; i < set_aside / 21'000; ++i) ASSERT_TRUE(dict.erase(key(i)));
  EXPECT_GE(dict.stats().log_size, set_aside);
  EXPECT_LE(dict.stats().log_size, set_aside + set_aside / 8);
  expect_sound(dict);
}

}  // namespace
}  // namespace ultradict::test
