// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "base/shared_atomic.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

using Keys = std::vector<std::string>;

void fill(Dict& dict, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) ASSERT_TRUE(dict.put(key(i), "v"));
}

// The next key, or "" at the end.
std::string next(Cursor& cursor) {
  Sighting seen;
  Buffer buffer;
  Record record;
  const Status status = cursor.next(&seen, &buffer, &record);
  EXPECT_TRUE(status || status.code() == Code::not_found) << status.message();
  return status ? std::string(record.canonical) : "";
}

Keys rest_of(Cursor& cursor) {
  Keys keys;
  for (std::string found; !(found = next(cursor)).empty();) keys.push_back(found);
  return keys;
}

TEST(Cursor, BackwardsIsForwardsReversed) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 100);
  for (std::uint64_t i = 0; i < 100; i += 3) ASSERT_TRUE(dict.erase(key(i)));
  Keys keys = keys_of(dict);
  std::reverse(keys.begin(), keys.end());
  EXPECT_EQ(keys_of(dict, Cursor::Direction::backward), keys);
  EXPECT_EQ(keys.size(), 66U);
}

TEST(Cursor, PassesOverWhatComesAfterItBegan) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 3);
  Cursor forward(dict);
  Cursor backward(dict, Cursor::Direction::backward);
  ASSERT_TRUE(dict.put("new", "v"));
  EXPECT_EQ(rest_of(forward), (Keys{key(0), key(1), key(2)}));
  EXPECT_EQ(rest_of(backward), (Keys{key(2), key(1), key(0)}));
}

// What it has written is behind the tail; its keys come when it is done.
TEST(Cursor, PassesOverTheKeysOfABatchThatWasUnderWay) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 2);
  const ControlView control(dict);
  const Word begin = Ref{control->state.tail}.position();
  ASSERT_TRUE(dict.put("of the batch", "v"));
  shared::store(control->state.batch_begin, begin);
  Cursor forward(dict);
  Cursor backward(dict, Cursor::Direction::backward);
  shared::store(control->state.batch_begin, 0);
  EXPECT_EQ(rest_of(forward), (Keys{key(0), key(1)}));
  EXPECT_EQ(rest_of(backward), (Keys{key(1), key(0)}));
}

TEST(Cursor, WithoutABufferFindsEntriesOnly) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 3);
  Cursor cursor(dict);
  Sighting seen;
  int count = 0;
  for (; cursor.next(&seen); ++count) {
    EXPECT_TRUE(seen.current());
    EXPECT_EQ(seen.sequence, 0U);
  }
  EXPECT_EQ(count, 3);
}

TEST(Cursor, G2_ErasingWhatItStandsOnGoesOnBehindIt) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 50);
  Cursor cursor(dict);
  for (std::uint64_t i = 0; i < 50; ++i) {
    ASSERT_EQ(next(cursor), key(i));
    ASSERT_TRUE(dict.erase(key(i)));
  }
  EXPECT_EQ(next(cursor), "");
}

TEST(Cursor, EraseOfMoreThanItRemembersGoesOnBehindThem) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 100);
  Cursor cursor(dict, Cursor::Direction::following);
  for (std::uint64_t i = 0; i < 40; ++i) ASSERT_EQ(next(cursor), key(i));
  for (std::uint64_t i = 10; i < 60; ++i) ASSERT_TRUE(dict.erase(key(i)));
  for (std::uint64_t i = 0; i < 30; ++i) ASSERT_TRUE(dict.put("new" + std::to_string(i), "v"));  // reuse their entries
  const Keys rest = rest_of(cursor);
  ASSERT_EQ(rest.size(), 70U);
  EXPECT_EQ(rest.front(), key(60));
  EXPECT_EQ(rest.back(), "new29");
}

// Nothing leads from the first keys to the others any more: who begins again at the first ones does not arrive. What is
// deleted between is not near.
void cut_behind(Dict& dict, const std::string& name) {
  Sighting seen;
  ASSERT_TRUE(dict.find(name, &seen, nullptr, nullptr));
  const Entry* entry = reinterpret_cast<const Entry*>(seen.ref_word);
  shared::store(const_cast<Entry*>(entry)->links, Links::of(0, 0).word);
}

// Passes `kept` keys, then `deleted` others, which go in bursts as soon as they are passed; then comes the last key.
// `near`: how far the walk may go back among those that are kept.
void expect_restarts_near(std::uint64_t kept, std::uint64_t near, std::uint64_t deleted, std::uint64_t burst,
                          Cursor::Direction direction) {
  SCOPED_TRACE(std::to_string(burst) + " of " + std::to_string(deleted));
  const bool forward = direction != Cursor::Direction::backward;
  const std::uint64_t count = kept + deleted + 1;
  const auto nth = [&](std::uint64_t i) { return key(forward ? i : count - 1 - i); };
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, count);
  Cursor cursor(dict, direction);
  for (std::uint64_t i = 0; i < kept; ++i) ASSERT_EQ(next(cursor), nth(i));
  cut_behind(dict, nth(kept - near));
  for (std::uint64_t done = 0; done < deleted; done += burst) {
    for (std::uint64_t i = 0; i < burst; ++i) ASSERT_EQ(next(cursor), nth(kept + done + i));
    for (std::uint64_t i = 0; i < burst; ++i) ASSERT_TRUE(dict.erase(nth(kept + done + i)));
  }
  EXPECT_EQ(next(cursor), nth(count - 1));
  EXPECT_EQ(next(cursor), "");
}

// However many keys there are before them, whether they go one by one, in bursts or all at once.
TEST(Cursor, G2_GoesBackByAsMuchAsWasDeletedBehindIt) {
  for (const auto direction : {Cursor::Direction::forward, Cursor::Direction::backward}) {
    for (const std::uint64_t kept : {4096U, 4096U + 3, 5000U}) {
      expect_restarts_near(kept, 20, 1000, 1, direction);
      expect_restarts_near(kept, 8 * 10, 1000, 10, direction);
      expect_restarts_near(kept, 8 * 50, 3000, 50, direction);
      expect_restarts_near(kept, 8 * 400, 400, 400, direction);
    }
  }
}

// As they are passed in Python: some at a time, which then go.
TEST(Cursor, G2_GoesBackByAsMuchAsWasDeletedOfWhatItPassedAtOnce) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 6000);
  Cursor cursor(dict);
  Passed passed[32];
  std::uint64_t table_number = 0;
  std::uint64_t seen = 0;
  for (std::size_t count = 0; cursor.next_some(passed, &count, &table_number);) {
    for (std::uint64_t i = seen; i < seen + count && i >= 4000; ++i) ASSERT_TRUE(dict.erase(key(i)));
    if (seen < 4000 && seen + count >= 4000) cut_behind(dict, key(4000 - 8 * 32));
    seen += count;
  }
  EXPECT_EQ(seen, 6000U);
}

TEST(Cursor, G2_EntriesReusedAreNotTakenForThePlaceItLeft) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 10);
  Cursor forward(dict, Cursor::Direction::following);
  Cursor backward(dict, Cursor::Direction::backward);
  for (int i = 0; i < 5; ++i) ASSERT_EQ(next(forward), key(static_cast<std::uint64_t>(i)));
  for (int i = 9; i > 4; --i) ASSERT_EQ(next(backward), key(static_cast<std::uint64_t>(i)));
  ASSERT_TRUE(dict.erase(key(4)));
  ASSERT_TRUE(dict.put("a", "in the entry of k4"));
  ASSERT_TRUE(dict.erase(key(5)));
  ASSERT_TRUE(dict.put("b", "in the entry of k5"));
  EXPECT_EQ(rest_of(forward), (Keys{key(6), key(7), key(8), key(9), "a", "b"}));
  EXPECT_EQ(rest_of(backward), (Keys{key(3), key(2), key(1), key(0)}));
}

TEST(Cursor, FollowingSeesAtItsEndWhatComesLater) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Cursor cursor(dict, Cursor::Direction::following);
  EXPECT_EQ(next(cursor), "");
  ASSERT_TRUE(dict.put("a", "v"));
  EXPECT_EQ(next(cursor), "a");
  EXPECT_EQ(next(cursor), "");
  ASSERT_TRUE(dict.erase("a"));
  ASSERT_TRUE(dict.put("b", "v"));
  EXPECT_EQ(next(cursor), "b");
  ASSERT_TRUE(dict.clear());
  EXPECT_EQ(next(cursor), "");
  ASSERT_TRUE(dict.put("c", "v"));
  EXPECT_EQ(next(cursor), "c");
}

TEST(Cursor, GoesOnAfterASighting) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 5);
  Sighting seen;
  Buffer buffer;
  ASSERT_TRUE(dict.find(key(2), &seen, &buffer, nullptr));
  Cursor cursor(dict, seen);
  ASSERT_TRUE(dict.erase(key(2)));
  ASSERT_TRUE(dict.put("new", "v"));
  EXPECT_EQ(rest_of(cursor), (Keys{key(3), key(4), "new"}));
}

TEST(Cursor, AcrossAClearOnlyOneThatFollowsMeetsWhatIsNew) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 500);
  Cursor following(dict, Cursor::Direction::following);
  Cursor forward(dict);
  Cursor backward(dict, Cursor::Direction::backward);
  for (int i = 0; i < 10; ++i) {
    (void)next(following);
    (void)next(forward);
    (void)next(backward);
  }
  ASSERT_TRUE(dict.clear());
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(dict.put("new" + std::to_string(i), "v"));
  EXPECT_EQ(rest_of(following).size(), 300U);
  EXPECT_EQ(rest_of(forward), Keys{});   // inserted after it began
  EXPECT_EQ(rest_of(backward), Keys{});  // all of it is behind it
}

TEST(Cursor, G2_SeesAKeyOnceThatCleaningMoved) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 200);
  for (std::uint64_t i = 0; i < 200; i += 2) ASSERT_TRUE(dict.erase(key(i)));
  Cursor cursor(dict);
  Keys seen;
  for (std::string found; !(found = next(cursor)).empty();) {
    seen.push_back(found);
    ASSERT_TRUE(dict.clean());
  }
  EXPECT_EQ(seen, keys_of(dict));
}

// One half of the keys stays throughout, wherever their records are moved; the other comes and goes.
void come_and_go(Dict& dict, const std::atomic<bool>& stop) {
  Random random(3);
  while (!stop.load()) {
    const std::string name = key(2 * random.below(200));
    const Status status = random.below(2) == 0 ? dict.put(name, std::string(200, 'v')) : dict.erase(name);
    require(status || status.code() == Code::not_found);
    if (random.below(10) == 0) require(dict.put(key(2 * random.below(200) + 1), std::string(300, 'w')));
    if (random.below(30) == 0) require(dict.clean());
  }
}

TEST(Cursor, G2_BesideAWriterThatCleansMeetsWhatStaysOnceAndInOrder) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 400);
  SharedNote<std::atomic<bool>> stop;
  Child writer([&] { come_and_go(dict, *stop); });
  for (int round = 0; round < 300; ++round) {
    const bool forward = round % 2 == 0;
    Keys keys = keys_of(dict, forward ? Cursor::Direction::forward : Cursor::Direction::backward);
    if (!forward) std::reverse(keys.begin(), keys.end());
    std::set<std::string> once(keys.begin(), keys.end());
    ASSERT_EQ(once.size(), keys.size()) << "a key twice, round " << round;
    Keys stayed;
    for (const std::string& name : keys) {
      if ((name.back() - '0') % 2 == 1) stayed.push_back(name);
    }
    ASSERT_EQ(stayed.size(), 200U) << "round " << round;
    for (std::uint64_t i = 0; i < 200; ++i) ASSERT_EQ(stayed[i], key(2 * i + 1));
  }
  stop->store(true);
  EXPECT_EQ(writer.wait(), 0);
  expect_sound(dict);
}

}  // namespace
}  // namespace ultradict::test
