// SPDX-License-Identifier: Apache-2.0
// Random operations on a dict and on a plain model of it: the two must agree at every look, and the dict be sound.
#include "support/model.h"

#include <gtest/gtest.h>

#include "support/child.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

void run(const Mix& mix, std::uint64_t seed, int operations, std::uint64_t buffer_size) {
  const Scratch scratch;
  Options options = scratch.options();
  options.buffer_size = buffer_size;
  Dict dict = scratch.open("dict", options);
  Random random(seed);
  Model model;
  for (int i = 0; i < operations; ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " operation " + std::to_string(i));
    ASSERT_TRUE(random_operation(random, mix, dict, model));
    if (i % 97 == 0) {
      ASSERT_EQ(unsoundness_of(dict), "");
    }
  }
  expect_content(dict, model.content());
  EXPECT_TRUE(dict.clean());
  expect_content(dict, model.content());
  EXPECT_EQ(orphans_of(dict), "");
}

TEST(Model, FewKeys) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) run({}, seed, 2000, 10'000);
}

TEST(Model, ManyKeysAndNoBuffer) {
  for (std::uint64_t seed = 11; seed <= 13; ++seed) {
    run({.keys = 3000, .value_size_max = 60, .blob_every = 2000, .clear_every = 6000, .batch_every = 20}, seed, 8000,
        0);
  }
}

TEST(Model, LargeValues) {
  for (std::uint64_t seed = 21; seed <= 23; ++seed) {
    run({.keys = 40, .value_size_max = 30'000, .blob_every = 10, .clear_every = 500, .batch_every = 15}, seed, 1500,
        100'000);
  }
}

TEST(Model, NeverCleared) {
  run({.keys = 300, .value_size_max = 2000, .blob_every = 0, .clear_every = 0, .batch_every = 50}, 31, 6000, 10'000);
}

Model model_of(const Dict& dict) {
  Model model;
  for (const auto& [key, value] : content_of(dict)) model.put(key, value);
  return model;
}

constexpr int turns = 50;

// Every second turn is this process's; it must find what the other noted, and leaves what it notes.
bool take_turns(int first, Dict& dict, Gate& mine, Gate& others, std::uint64_t* noted) {
  const Mix mix{.keys = 400, .value_size_max = 900, .blob_every = 50, .clear_every = 400, .batch_every = 20};
  for (int turn = first; turn < turns; turn += 2) {
    mine.wait();
    Model model = model_of(dict);
    if (turn > 0 && hash_of(model.content()) != *noted) return false;
    Random random(static_cast<std::uint64_t>(turn));
    for (int i = 0; i < 60; ++i) {
      if (!random_operation(random, mix, dict, model)) return false;
    }
    if (content_of(dict) != model.content() || !unsoundness_of(dict).empty()) return false;
    *noted = hash_of(model.content());
    others.open();
  }
  return true;
}

TEST(Model, TwoProcessesTakeTurns) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Gate first;
  Gate second;
  SharedNote<std::uint64_t> noted;
  Child child([&] {
    Dict own = scratch.open("dict", Create::never);
    require(take_turns(1, own, second, first, &*noted));
  });
  first.open();
  EXPECT_TRUE(take_turns(0, dict, first, second, &*noted));
  EXPECT_EQ(child.wait(), 0);
  expect_sound(dict);
}

bool work_on_own_keys(Dict& dict, const std::string& prefix) {
  const Mix mix{
      .keys = 300, .value_size_max = 700, .blob_every = 60, .clear_every = 0, .batch_every = 12, .prefix = prefix};
  Random random(prefix.size());
  Model model;
  for (int i = 0; i < 3000; ++i) {
    if (!random_operation(random, mix, dict, model)) return false;
    if (i % 500 == 0 && content_of(dict, prefix) != model.content()) return false;
  }
  return content_of(dict, prefix) == model.content();
}

TEST(Model, TwoProcessesAtOnceOnKeysOfTheirOwn) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Child child([&] {
    Dict own = scratch.open("dict", Create::never);
    require(work_on_own_keys(own, "child-"));
  });
  EXPECT_TRUE(work_on_own_keys(dict, "the-parent-"));
  EXPECT_EQ(child.wait(), 0);
  expect_sound(dict);
  EXPECT_EQ(orphans_of(dict), "");
}

}  // namespace
}  // namespace ultradict::test
