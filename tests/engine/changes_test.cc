// SPDX-License-Identifier: Apache-2.0
// A copy that follows the changes of a dict is what the dict is, in its order, after whatever happened in between.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "base/shared_atomic.h"
#include "support/child.h"
#include "support/content.h"
#include "support/copy.h"
#include "support/model.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

std::vector<std::string> keys_of(const Copy& copy) {
  std::vector<std::string> keys;
  for (const auto& [name, value] : copy.content()) keys.push_back(name);
  return keys;
}
using test::keys_of;

TEST(Changes, NothingHappenedIsNothingToDo) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("a", "1"));
  ultradict::Progress progress;
  EXPECT_TRUE(dict.changed_since(progress));
  std::vector<Sighting> changed;
  EXPECT_EQ(dict.changes(&progress, &changed).code(), Code::changed);
  EXPECT_FALSE(dict.changed_since(progress));
  EXPECT_TRUE(dict.changes(&progress, &changed));
  EXPECT_TRUE(changed.empty());
  ASSERT_TRUE(dict.erase("a"));
  EXPECT_TRUE(dict.changed_since(progress));
}

TEST(Changes, AreAsManyAsWereMadeWhateverIsThere) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (std::uint64_t i = 0; i < 20'000; ++i) ASSERT_TRUE(dict.put(key(i), marked_value(key(i), i, 100)));
  Copy copy(dict);
  copy.update();
  ASSERT_TRUE(dict.put(key(5), "new"));
  ASSERT_TRUE(dict.put(key(5), "newer"));
  ASSERT_TRUE(dict.put("added", "1"));
  ASSERT_TRUE(dict.erase(key(7)));
  EXPECT_LE(copy.update(), 4U);
  EXPECT_EQ(copy.content(), content_of(dict));
  for (std::uint64_t i = 100; i < 10'000; ++i) ASSERT_TRUE(dict.erase(key(i)));
  copy.update();
  EXPECT_EQ(copy.content(), content_of(dict));
  ASSERT_TRUE(dict.erase(key(8)));
  EXPECT_LE(copy.update(), 2U);
  EXPECT_EQ(copy.content(), content_of(dict));
  EXPECT_EQ(copy.readings(), 1U);
}

TEST(Changes, AnEntryUsedAgainIsTheNewKey) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(dict.put(key(i), "old"));
  Copy copy(dict);
  copy.update();
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(dict.erase(key(i)));
  for (std::uint64_t i = 5; i < 9; ++i) ASSERT_TRUE(dict.put(key(i), "new"));
  ASSERT_TRUE(dict.erase(key(8)));
  ASSERT_TRUE(dict.put("another", "new"));
  ASSERT_TRUE(dict.erase("another"));
  copy.update();
  EXPECT_EQ(copy.content(), content_of(dict));
  EXPECT_EQ(copy.readings(), 1U);
}

TEST(Changes, RecordsMovedByCleaningAreNotTakenForChanges) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (std::uint64_t i = 0; i < 2000; ++i) ASSERT_TRUE(dict.put(key(i), marked_value(key(i), i, 300)));
  for (std::uint64_t i = 0; i < 2000; i += 2) ASSERT_TRUE(dict.put(key(i), marked_value(key(i), i, 300)));
  Copy copy(dict);
  copy.update();
  ASSERT_TRUE(dict.dump());
  EXPECT_EQ(copy.update(), 0U);
  ASSERT_TRUE(dict.put(key(1), "1"));
  ASSERT_TRUE(dict.clean());
  EXPECT_EQ(copy.update(), 1U);
  EXPECT_EQ(copy.content(), content_of(dict));
}

TEST(Changes, FollowRandomOperations) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Scratch scratch;
    Dict dict = scratch.open();
    Model model;
    Copy copy(dict);
    Random random(seed);
    Mix mix;
    mix.keys = 80;
    mix.value_size_max = 3000;
    for (int round = 0; round < 400; ++round) {
      for (std::uint64_t i = random.below(12); i > 0; --i) ASSERT_TRUE(random_operation(random, mix, dict, model));
      copy.update();
      ASSERT_EQ(summary_of(copy.content()), summary_of(model.content())) << "seed " << seed << ", round " << round;
    }
  }
}

// Entries, log and free list are shared by all dicts of a store; each copy follows its own.
TEST(Changes, OfANestedDictAreItsOwn) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const Scratch scratch;
    Dict dict = scratch.open();
    Dict child;
    ASSERT_TRUE(dict.put_new_child("child", &child));
    Copy of_root(dict);
    Copy of_child(child);
    Random random(seed);
    for (int round = 0; round < 300; ++round) {
      for (std::uint64_t i = random.below(8); i > 0; --i) {
        Dict& chosen = random.below(2) == 0 ? dict : child;
        const std::string name = key(random.below(30));
        const std::uint64_t kind = random.below(40);
        Status status;
        if (kind == 0) {
          status = child.clear();
        } else if (kind < 4) {
          Dict another;
          status = chosen.put_new_child(name, &another);
          for (int n = 0; status && n < 3; ++n) status = another.put(key(n), "deep");
        } else {
          status = kind < 15 ? chosen.erase(name) : chosen.put(name, marked_value(name, kind, random.below(200)));
        }
        ASSERT_TRUE(status || status.code() == Code::not_found) << status.message();
      }
      of_root.update();
      of_child.update();
      ASSERT_EQ(keys_of(of_root), keys_of(dict)) << "seed " << seed << ", round " << round;
      ASSERT_EQ(keys_of(of_child), keys_of(child)) << "seed " << seed << ", round " << round;
    }
    EXPECT_EQ(of_child.readings(), 1U);
    ASSERT_TRUE(dict.erase("child"));
    ultradict::Progress progress;
    std::vector<Sighting> changed;
    EXPECT_EQ(child.changes(&progress, &changed).code(), Code::dict_gone);
  }
}

// The free list says when an entry was freed. Insertions take from it what deletions left; those that were half-done
// by one who died must not hide what lies below.
TEST(Changes, ADeadWriterHidesNothing) {
  if (forks_are_slow()) GTEST_SKIP() << "many forks";
  const Scratch scratch;
  Dict dict = scratch.open();
  Copy copy(dict);
  Random random(7);
  for (int round = 0; round < 60; ++round) {
    const std::uint64_t seed = random.next();
    Gate begun;
    Child writer([&] {
      Random own(seed);
      begun.open();
      for (;;) {
        const std::string name = key(own.below(40));
        const Status status = own.below(3) == 0 ? dict.erase(name) : dict.put(name, marked_value(name, own.next(), 90));
        require(status || status.code() == Code::not_found);
      }
    });
    begun.wait();
    for (int i = 0; i < 20; ++i) copy.update();
    writer.kill_and_wait();
    copy.update();
    ASSERT_EQ(copy.content(), content_of(dict)) << "round " << round;
    ASSERT_TRUE(dict.put(key(99), "after"));
    copy.update();
    ASSERT_EQ(copy.content(), content_of(dict)) << "round " << round;
  }
}

// A key that was written before update() is seen by it, whatever others write meanwhile: each value holds its number.
TEST(Changes, WhatIsAcknowledgedIsSeenAmongOtherWriters) {
  const Scratch scratch;
  Dict dict = scratch.open();
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    writers.emplace_back([&, seed] {
      Random random(seed);
      while (!stop) {
        const std::string name = key(random.below(60));
        (void)(random.below(3) == 0 ? dict.erase(name) : dict.put(name, marked_value(name, 1, random.below(400))));
      }
    });
  }
  ASSERT_TRUE(dict.put("other", "begin"));
  Copy copy(dict);
  const int rounds = is_sanitized() ? 300 : 3000;
  for (int round = 0; round < rounds; ++round) {
    ASSERT_TRUE(dict.put("mine", std::to_string(round)));
    const Status other = round % 3 == 0   ? dict.erase("other")
                         : round % 3 == 1 ? dict.put("other", std::to_string(round))
                                          : Status();
    ASSERT_TRUE(other) << other.message();
    copy.update();
    const Content content = copy.content();
    const auto value = [&](const std::string& name) {
      const auto found =
          std::find_if(content.begin(), content.end(), [&](const auto& item) { return item.first == name; });
      return found == content.end() ? "none" : found->second;
    };
    ASSERT_EQ(value("mine"), std::to_string(round));
    ASSERT_EQ(value("other"), round % 3 == 0 ? "none" : std::to_string(round / 3 * 3 + 1));
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  copy.update();
  EXPECT_EQ(copy.content(), content_of(dict));
}

// What the log still has of the table before belongs to entries that are no more. A journal that stays, as that of a
// dead writer does, makes who follows begin with all that there is.
TEST(Changes, A9_RecordsOfAClearedTableAreNotFollowed) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (std::uint64_t i = 0; i < 200; ++i) ASSERT_TRUE(dict.put(key(i), "v"));
  ASSERT_TRUE(dict.clear());
  ASSERT_TRUE(dict.put(key(1), "v"));
  const ControlView control(dict);
  control->journal.word = 1;
  Progress progress;
  std::vector<Sighting> changed;
  EXPECT_EQ(dict.changes(&progress, &changed).code(), Code::changed);
  const Status status = dict.changes(&progress, &changed);
  EXPECT_TRUE(status) << status.message();
  EXPECT_EQ(changed.size(), 1U);
}

// Each full dump adds to the upper half of the count of changes.
TEST(Changes, OfADeletedKeyAreGone) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Progress progress;
  std::vector<Sighting> changed;
  for (const char* key : {"a", "b"}) ASSERT_TRUE(dict.put(key, "1"));
  (void)dict.changes(&progress, &changed);
  changed.clear();
  ASSERT_TRUE(dict.erase("a"));
  ASSERT_TRUE(dict.changes(&progress, &changed));
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].born, 0U);
  Buffer buffer;
  Record record;
  bool moved = false;
  EXPECT_EQ(dict.reread(changed.data(), &buffer, &record, &moved).code(), Code::changed);
  EXPECT_EQ(dict.put_at(changed.data(), "2").code(), Code::changed);
  EXPECT_EQ(dict.erase_at(changed[0]).code(), Code::changed);
}

TEST(Changes, OfABatchThatWasGivenUpAreNone) {
  const Scratch scratch;
  Options options = scratch.options();
  options.max_bytes = 400'000;
  Dict dict = scratch.open("dict", options);
  Dict child;
  ASSERT_TRUE(dict.put_new_child("child", &child));
  Copy copy(dict);
  copy.update();
  const std::string large(30'000, 'l');
  std::vector<Item> items{{Key{"again"}, {}, child.child_id()}};
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) names.push_back(key(i));
  for (const std::string& name : names) items.push_back({Key{name}, large});
  ASSERT_EQ(dict.put_all(items).code(), Code::memory_full);
  ASSERT_TRUE(dict.put("b", "2"));
  copy.update();
  EXPECT_EQ(copy.content(), content_of(dict));
}

TEST(Changes, OfTooLongAgoAreAllThatThereIs) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("a", "1"));
  ASSERT_TRUE(dict.put("b", "1"));
  Copy copy(dict);
  copy.update();
  const ControlView control(dict);
  shared::store(control->state.stream, control->state.stream + (Word{1} << 63));
  ASSERT_TRUE(dict.erase("a"));
  copy.update();
  EXPECT_EQ(copy.content(), content_of(dict));
  EXPECT_EQ(copy.readings(), 2U);
}

// As it stays until the next owner if a writer dies in the middle of a clear.
TEST(Changes, A9_AClearThatIsHalfDoneIsNoDamageToWhoFollows) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (std::uint64_t i = 0; i < 200; ++i) ASSERT_TRUE(dict.put(key(i), "v"));
  const ControlView control(dict);
  control->journal.word = 1;
  control->state.table_number += 1;
  control->state.entries_size = control_entries;
  Progress progress;
  std::vector<Sighting> changed;
  for (int looks = 0; looks < 3; ++looks) EXPECT_EQ(dict.changes(&progress, &changed).code(), Code::changed);
}

}  // namespace
}  // namespace ultradict::test
