// SPDX-License-Identifier: Apache-2.0
// Copies that follow the changes without the lock, in every order with a writer: after each update every key is what it
// was at a moment of that.
#include <gtest/gtest.h>

#include "interleavings/world.h"

namespace ultradict::test {
namespace {

// Who follows while a change stays half-done looks again very often: each run is long.
constexpr Bounds in_short{1, 0};
constexpr Bounds in_full{2, 1};

const auto two_keys = [](Dict& dict) {
  (void)dict.put("a", "a0");
  (void)dict.put("b", "b0");
};
// Something for cleaning to move, and a free entry.
const auto with_dead_records = [](Dict& dict) {
  for (const char* key : {"a", "b", "c"}) (void)dict.put(key, "-");
  for (const char* key : {"a", "b"}) (void)dict.put(key, std::string(key) + "0");
  (void)dict.erase("c");
};
const auto with_nested = [](Dict& dict) {
  two_keys(dict);
  Dict child;
  (void)dict.put_new_child("n", &child);
  for (const char* key : {"in", "too"}) (void)child.put(key, "side");
};
const auto follower = [](World& world) { world.follow(2, true); };
const auto mere_follower = [](World& world) { world.follow(2, false); };

void explore(const std::string& name, const std::function<void(Dict&)>& prepare, const World::Script& writer) {
  // Whoever is first goes on until it is interrupted: each may be so by the whole of the other.
  World::explore({name + " | follow", in_short, in_full, prepare, {writer, follower}});
  World::explore({"follow | " + name, in_short, in_full, prepare, {follower, writer}});
}

TEST(Interleavings, G3_FollowWhileKeysAreOverwritten) {
  explore("overwrite", two_keys, [](World& world) {
    world.put("a", "a1");
    world.put("b", "b1 is longer");
  });
}

TEST(Interleavings, G3_FollowWhileKeysComeAndGo) {
  explore("erase, insert anew", two_keys, [](World& world) {
    world.erase("a");
    world.put("a", "a1");
  });
  explore("erase, insert another", with_dead_records, [](World& world) {
    world.erase("b");
    world.put("d", "d1");
  });
  explore("erase twice", two_keys, [](World& world) {
    world.erase("a");
    world.erase("b");
  });
}

TEST(Interleavings, G3_FollowWhileRecordsAreMoved) {
  explore("overwrite, clean", with_dead_records, [](World& world) {
    world.put("a", "a1");
    world.clean();
  });
}

// The segment with the overwritten value goes, and the key with it, after the free list was walked.
TEST(Interleavings, G3_FollowWhileWhatWasOverwrittenIsHidden) {
  World::explore({"overwrite, erase, clean | follow",
                  {2, 0},
                  in_full,
                  two_keys,
                  {[](World& world) {
                     world.put("a", "a1");
                     world.erase("a");
                     world.clean();
                   },
                   [](World& world) { world.follow_on(); }}});
}

// An entry at the head of the free list is taken and given back while it is looked at: what lies behind it is seen.
TEST(Interleavings, G3_FollowWhileAFreeEntryIsTakenAndGivenBack) {
  World::explore({"follow | insert, erase",
                  {2, 0},
                  in_full,
                  [](Dict& dict) {
                    for (const char* key : {"a", "b", "c"}) (void)dict.put(key, "-");
                  },
                  {[](World& world) { world.follow_on(); },
                   [](World& world) {
                     world.put("d", "d0");
                     world.erase("d");
                   }},
                  {},
                  [](Dict& dict) {
                    for (const char* key : {"a", "b"}) (void)dict.erase(key);  // of which only the free list tells
                  }});
}

TEST(Interleavings, G3_FollowWhileTheTableIsSwitched) {
  const auto writer = [](World& world) {
    world.clear();
    world.put("b", "b1");
  };
  World::explore({"clear, insert | follow", in_short, in_full, two_keys, {writer, mere_follower}});
  World::explore({"follow | clear, insert", in_short, in_full, two_keys, {mere_follower, writer}});
}

TEST(Interleavings, G3_FollowWhileABatchIsWritten) {
  explore("batch", two_keys, [](World& world) { world.put_all({{"a", "a1"}, {"c", "c1"}}); });
}

TEST(Interleavings, G3_FollowWhileNestedDictsComeAndGo) {
  explore("nest", two_keys, [](World& world) { world.nest("n"); });
  explore("nest over a value", two_keys, [](World& world) { world.nest("a"); });
  explore("erase a nested dict", with_nested, [](World& world) { world.erase("n"); });
}

// Its keys go one after the other, but are counted as gone at once.
TEST(Interleavings, G3_FollowANestedDictWhileItIsEmptied) {
  const auto writer = [](World& world) { world.clear_nested("n"); };
  const auto of_nested = [](World& world) { world.follow_nested("n", 2); };
  World::explore({"clear a nested dict | follow it", {2, 0}, in_full, with_nested, {writer, of_nested}});
}

}  // namespace
}  // namespace ultradict::test
