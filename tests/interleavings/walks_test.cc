// SPDX-License-Identifier: Apache-2.0
// Walks that never block, in every order with a writer: each key at most once, in order, and every one that was there
// throughout.
#include <gtest/gtest.h>

#include <algorithm>

#include "interleavings/world.h"

namespace ultradict::test {
namespace {

constexpr Bounds in_short{2, 1};
constexpr Bounds in_full{3, 2};

const auto three_keys = [](Dict& dict) {
  for (const char* key : {"a", "b", "c"}) (void)dict.put(key, "-");
  for (const char* key : {"a", "b", "c"}) (void)dict.put(key, std::string(key) + "0");
};
const auto forward = [](World& world) { world.walk(Cursor::Direction::forward, true); };
const auto backward = [](World& world) { world.walk(Cursor::Direction::backward, true); };
const auto keys_only = [](World& world) { world.walk(Cursor::Direction::forward, false); };

void explore(const std::string& name, const World::Script& writer) {
  World::explore({name + " | walk", in_short, in_full, three_keys, {writer, forward}});
  World::explore({name + " | walk backward", in_short, in_full, three_keys, {writer, backward}});
  World::explore({name + " | walk by keys", in_short, in_full, three_keys, {writer, keys_only}});
}

TEST(Interleavings, G2_WalkWhileKeysComeAndGo) {
  explore("erase, insert", [](World& world) {
    world.erase("b");
    world.put("d", "d1");
  });
}

TEST(Interleavings, G2_WalkWhileAKeyIsInsertedAnew) {
  explore("erase, insert anew", [](World& world) {
    world.erase("b");
    world.put("b", "b1");
  });
}

// It takes the entry too, the first of the free ones: who was led to it by its old life is led there again by the new.
const auto replace_last = [](World& world) {
  world.erase("c");
  world.put("d", "d1");
};

TEST(Interleavings, G2_WalkWhileTheLastKeyIsReplaced) {
  World::explore({"erase last, insert | walk", {3, 1}, {3, 1}, three_keys, {replace_last, forward}});
}

void meet_a_and_b_some_at_a_time(World& world) {
  Cursor cursor(world.dict(), Cursor::Direction::backward);
  Passed passed[8];
  std::size_t count = 0;
  std::size_t met = 0;
  std::uint64_t table = 0;
  Status status;
  while ((status = cursor.next_some(passed, &count, &table))) {
    met += static_cast<std::size_t>(std::count_if(
        passed, passed + count, [](const Passed& key) { return key.born != 0 && key.born_word->load() == key.born; }));
  }
  if (status.code() != Code::not_found) world.fail("a walk ends with " + status.message());
  if (met < 2) world.fail("a walk met " + std::to_string(met) + " of two keys");
}

TEST(Interleavings, G2_WalkSomeAtATimeWhileTheLastKeyIsReplaced) {
  World::explore(
      {"erase last, insert | walk some", {3, 0}, {3, 1}, three_keys, {replace_last, meet_a_and_b_some_at_a_time}});
}

TEST(Interleavings, G2_WalkWhileRecordsAreMoved) {
  explore("clean, overwrite", [](World& world) {
    world.clean();
    world.put("b", "b1");
  });
}

TEST(Interleavings, G2_WalkWhileTheTableIsSwitched) {
  explore("clear, insert", [](World& world) {
    world.clear();
    world.put("c", "c1");
  });
}

}  // namespace
}  // namespace ultradict::test
