// SPDX-License-Identifier: Apache-2.0
#include "structures/slots.h"

#include <gtest/gtest.h>

#include <vector>

namespace ultradict::test {
namespace {

constexpr Word bits = 4;
constexpr Word same_hash = (Word{0xabcdef} << 40) | 14;  // its home is near the end of the array

class SlotsTest : public testing::Test {
 protected:
  std::vector<Word> found(Word hash) const {
    std::vector<Word> entries;
    bool stopped = true;
    EXPECT_FALSE(slots_.probe(hash, &stopped, [&](Word, Word entry) {
      entries.push_back(entry);
      return false;
    }));
    EXPECT_FALSE(stopped);
    return entries;
  }
  Word insert(Word hash, Word entry) {
    const Word place = slots_.place_for(hash);
    if (place != slots_.count()) words_[place] = Slot::used(entry, hash).word;
    return place;
  }

  std::vector<Word> words_ = std::vector<Word>(Word{1} << bits);
  Slots slots_{words_.data(), bits};
};

TEST_F(SlotsTest, KeysOfOneHashAreMetInTheOrderOfInsertionAcrossTheEnd) {
  for (Word entry = 1; entry <= 5; ++entry) insert(same_hash, entry);
  EXPECT_EQ(found(same_hash), (std::vector<Word>{1, 2, 3, 4, 5}));
  EXPECT_EQ(slots_.find_entry(same_hash, 4), 1U);
  EXPECT_EQ(slots_.find_entry(same_hash, 6), slots_.count());
}

TEST_F(SlotsTest, ProbesGoOnBehindATombstoneAndInsertionsReuseIt) {
  for (Word entry = 1; entry <= 3; ++entry) insert(same_hash, entry);
  words_[15] = Slot::tombstone().word;
  EXPECT_EQ(found(same_hash), (std::vector<Word>{1, 3}));
  EXPECT_EQ(insert(same_hash, 9), 15U);
  EXPECT_EQ(found(same_hash), (std::vector<Word>{1, 9, 3}));
}

TEST_F(SlotsTest, OtherTagsAreNotVisited) {
  insert(same_hash, 1);
  insert(same_hash ^ (Word{1} << 41), 2);
  EXPECT_EQ(found(same_hash), std::vector<Word>{1});
}

TEST_F(SlotsTest, ProbeOfAFullArrayEnds) {
  for (Word entry = 1; entry <= slots_.count(); ++entry) insert(same_hash, entry);
  EXPECT_EQ(found(same_hash).size(), slots_.count());
  EXPECT_TRUE(found(0).empty());
  EXPECT_EQ(slots_.place_for(0), slots_.count());
}

TEST_F(SlotsTest, EveryFlippedBitOfAUsedWordIsFoundOut) {
  int undetected = 0;
  for (int bit = 0; bit < 64; ++bit) {
    const Word word = Slot::used(12345, same_hash).word ^ (Word{1} << bit);
    undetected += Slot{word}.is_intact() ? 1 : 0;
  }
  EXPECT_EQ(undetected, 0);
  words_[slots_.home(same_hash)] = Slot::used(1, same_hash).word ^ 2;
  bool stopped = false;
  EXPECT_EQ(slots_.probe(same_hash, &stopped, [](Word, Word) { return true; }).code, Code::damaged);
}

TEST(Slot, TombstoneIsNoEntryAndNotEmpty) {
  EXPECT_TRUE(Slot::tombstone().is_tombstone());
  EXPECT_FALSE(Slot::tombstone().is_empty());
  EXPECT_EQ(Slot::tombstone().entry(), 0U);
  for (Word entry : {Word{1}, Word{0xffff'ffff}}) {
    EXPECT_FALSE(Slot::used(entry, 0).is_tombstone());
    EXPECT_FALSE(Slot::used(entry, 0).is_empty());
    EXPECT_EQ(Slot::used(entry, ~Word{0}).entry(), entry);
  }
}

}  // namespace
}  // namespace ultradict::test
