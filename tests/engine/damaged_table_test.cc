// SPDX-License-Identifier: Apache-2.0
// Slots that are all in use, lead in a circle or lead twice to one key: every look-up and every write ends. And what
// makes them such on purpose: keys chosen to collide.
#include <gtest/gtest.h>

#include <set>

#include "base/shared_atomic.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

// Small enough to keep its slots in control.
void fill(Dict& dict) {
  for (int i = 0; i < 20; ++i) require(dict.put(key(i), marked_value(key(i), 1, 30)));
}

Word* slots_of(const ControlView& control) {
  auto* base = const_cast<char*>(reinterpret_cast<const char*>(control.operator->()));
  return reinterpret_cast<Word*>(base + control->identity.slots_offset);
}

Entry* entries_of(const ControlView& control) {
  auto* base = const_cast<char*>(reinterpret_cast<const char*>(control.operator->()));
  return reinterpret_cast<Entry*>(base + control->identity.entries_offset);
}

// Each key is there with its value, or an error says why not.
void expect_right_or_error(const Dict& dict) {
  for (int i = 0; i < 20; ++i) {
    std::string value;
    const Status status = dict.get(key(i), &value);
    EXPECT_TRUE(status ? is_marked(key(i), value) : status.code() == Code::damaged) << key(i) << status.message();
  }
}

TEST(DamagedTable, E5_FullOfTombstonesEveryProbeEnds) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict);
  const ControlView control(dict);
  for (Word i = 0; i < control_slots; ++i) {
    if (slots_of(control)[i] == 0) shared::store(slots_of(control)[i], Slot::tombstone().word);
  }
  expect_right_or_error(dict);
  EXPECT_EQ(dict.contains("absent").code(), Code::not_found);
  EXPECT_TRUE(dict.put("new", "value"));
  EXPECT_EQ(value_of(dict, "new"), "value");
  EXPECT_EQ(dict.erase("absent").code(), Code::not_found);
  EXPECT_NE(unsoundness_of(dict), "");
}

TEST(DamagedTable, E5_SlotsInControlThatClaimAnotherSizeAreDamage) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict);
  const ControlView control(dict);
  for (const Word bits : {Word{30}, Word{200}}) {
    shared::store(control->state.slots, control_slots_b << 8 | bits);
    std::string value;
    EXPECT_EQ(dict.get(key(1), &value).code(), Code::damaged) << bits;
    EXPECT_EQ(dict.put(key(1), "value").code(), Code::damaged) << bits;
  }
}

// Short and long: the record of another key is not believed, also where no key is compared.
TEST(DamagedTable, E4_AnEntryThatNamesTheRecordOfAnotherHasNoValue) {
  for (const std::size_t size : {8U, 600U, 40'000U}) {
    const Scratch scratch;
    Dict dict = scratch.open();
    Sighting one;
    Sighting other;
    ASSERT_TRUE(dict.put(Key{"one"}, std::string(size, '1'), &one));
    ASSERT_TRUE(dict.put(Key{"other"}, std::string(size, '2'), &other));
    const ControlView control(dict);
    shared::store(entries_of(control)[one.entry].ref, other.ref);
    Sighting again = one;
    Buffer buffer;
    Record record;
    bool moved = false;
    EXPECT_EQ(dict.reread(&again, &buffer, &record, &moved).code(), Code::damaged) << size;
    std::string value;
    EXPECT_EQ(dict.get("one", &value).code(), Code::damaged) << size;
    EXPECT_EQ(dict.put("one", "new").code(), Code::damaged) << size;
    EXPECT_EQ(dict.put_at(&one, "new").code(), Code::damaged) << size;
    EXPECT_EQ(dict.erase_at(one).code(), Code::damaged) << size;
    EXPECT_EQ(dict.erase("one").code(), Code::damaged) << size;
    EXPECT_EQ(value_of(dict, "other"), std::string(size, '2'));
  }
}

TEST(DamagedTable, E4_ARecordOfTheKeyThatHadTheEntryBeforeIsOfNone) {
  for (const std::size_t size : {8U, 600U, 40'000U}) {
    for (const Bytes face : {"", "its face"}) {
      const Scratch scratch;
      Dict dict = scratch.open();
      Sighting before;
      Sighting now;
      // The same key: nothing but its age speaks against the older record.
      for (const char* old_key : {"a", "b"}) {
        ASSERT_TRUE(dict.put(Key{old_key, face}, std::string(size, 'o'), &before));
        ASSERT_TRUE(dict.erase(old_key));
        ASSERT_TRUE(dict.put(Key{"b", face}, std::string(size, 'n'), &now));
        ASSERT_EQ(now.entry, before.entry);
        const ControlView control(dict);
        shared::store(entries_of(control)[now.entry].ref, before.ref);
        std::string value;
        EXPECT_EQ(dict.get("b", &value).code(), Code::damaged) << old_key << value;
        EXPECT_EQ(dict.contains("b").code(), Code::damaged) << old_key;
        Sighting seen = now;
        Buffer buffer;
        Record record;
        bool moved = false;
        EXPECT_EQ(dict.reread(&seen, &buffer, &record, &moved).code(), Code::damaged) << old_key;
        EXPECT_EQ(Cursor(dict).next(&seen, &buffer, &record).code(), Code::damaged) << old_key;
        seen = now;
        EXPECT_EQ(dict.put_at(&seen, "third").code(), Code::damaged) << old_key;
        EXPECT_EQ(dict.erase_at(now).code(), Code::damaged) << old_key;
        EXPECT_EQ(dict.put("b", "third").code(), Code::damaged) << old_key;
        shared::store(entries_of(control)[now.entry].ref, now.ref);
        ASSERT_TRUE(dict.erase("b"));
      }
    }
  }
}

TEST(DamagedTable, E4_AKeyWhoseEntrySeemsToBeANestedDictIsNotGone) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Sighting seen;
  ASSERT_TRUE(dict.put(Key{"k"}, "value", &seen));
  const ControlView control(dict);
  Word& ref = entries_of(control)[seen.entry].ref;
  shared::store(ref, ref ^ Word{1} << 63);
  std::string value;
  EXPECT_EQ(dict.get("k", &value).code(), Code::damaged);
  EXPECT_EQ(dict.contains("k").code(), Code::damaged);
  EXPECT_EQ(dict.put("k", "new").code(), Code::damaged);
  EXPECT_EQ(dict.erase("k").code(), Code::damaged);
}

// Behind the entries that are used lies what was cleared: whole, but of a table before.
TEST(DamagedTable, E4_WhatWasClearedIsFoundByNoSlotAndNoLink) {
  for (const std::size_t size : {8U, 600U}) {
    const Scratch scratch;
    Dict dict = scratch.open();
    Sighting seen;
    for (const char* name : {"a", "b", "k"}) ASSERT_TRUE(dict.put(Key{name}, std::string(size, 'o'), &seen));
    ASSERT_TRUE(dict.clear());
    const Word left = seen.entry;
    ASSERT_TRUE(dict.put(Key{"k"}, std::string(size, 'n'), &seen));
    ASSERT_NE(seen.entry, left);
    const ControlView control(dict);
    auto* const slots = slots_of(control) + (SlotsName{control->state.slots}.file() - control_slots_a) * control_slots;
    for (Word i = 0; i < control_slots; ++i) {
      if (slots[i] != 0) shared::store(slots[i], Slot::make(left, Slot{slots[i]}.tag()).word);
    }
    std::string value;
    EXPECT_EQ(dict.get("k", &value).code(), Code::damaged) << value;
    EXPECT_EQ(dict.put("k", "new").code(), Code::damaged);
    shared::store(control->state.ends, Links::of(left, left).word);
    Buffer buffer;
    Record record;
    Cursor with_records(dict);
    EXPECT_EQ(with_records.next(&seen, &buffer, &record).code(), Code::damaged);
    Cursor without(dict);
    EXPECT_EQ(without.next(&seen).code(), Code::damaged);
  }
}

TEST(DamagedTable, E4_AKeyWhoseEntryIsEmptiedIsNotInsertedOnceMore) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Sighting seen;
  ASSERT_TRUE(dict.put(Key{"k"}, "value", &seen));
  const ControlView control(dict);
  shared::store(entries_of(control)[seen.entry].ref, 0);
  EXPECT_EQ(dict.put("k", "new").code(), Code::damaged);
  EXPECT_EQ(dict.erase("k").code(), Code::damaged);
  EXPECT_EQ(dict.count(), 1U);
}

// A blob goes by the name that its record says.
TEST(DamagedTable, E4_NoBlobGoesInThePlaceOfAnother) {
  const std::string large(40'000, 'l');
  for (const bool erases : {false, true}) {
    const Scratch scratch;
    Dict dict = scratch.open();
    Sighting one;
    Sighting other;
    ASSERT_TRUE(dict.put(Key{"one"}, large, &one));
    ASSERT_TRUE(dict.put(Key{"other"}, large, &other));
    const ControlView control(dict);
    const Ref ref{one.ref};
    auto* const base = const_cast<char*>(reinterpret_cast<const char*>(control.operator->()));
    char* const record = base + control->identity.segments_offset +
                         (ref.position() - control->segments[ref.segment()].first) * unit_size;
    reinterpret_cast<RecordHeader*>(record)->sequence = other.sequence;
    EXPECT_EQ((erases ? dict.erase("one") : dict.put("one", "small")).code(), Code::damaged);
    EXPECT_EQ(value_of(dict, "other"), large);
  }
}

// What a write takes over from the old record must be right before it has a new checksum.
TEST(DamagedTable, E4_ADamagedKeyOrFaceIsNeitherWrittenAnewNorErased) {
  for (const char* damaged : {"keyX", "faceX"}) {
    const Scratch scratch;
    Dict dict = scratch.open();
    Sighting seen;
    const bool is_key = damaged[0] == 'k';
    const Bytes face = is_key ? "" : "face1";
    ASSERT_TRUE(dict.put(Key{"key1", face, false}, "value", &seen));
    const ControlView control(dict);
    const Ref ref{seen.ref};
    auto* const base = const_cast<char*>(reinterpret_cast<const char*>(control.operator->()));
    char* const record = base + control->identity.segments_offset +
                         (ref.position() - control->segments[ref.segment()].first) * unit_size;
    ASSERT_EQ(Bytes(record + sizeof(RecordHeader), 4 + face.size()), "key1" + std::string(face));
    record[sizeof(RecordHeader) + (is_key ? 3 : 8)] = 'X';
    EXPECT_EQ(dict.put("key1", "new").code(), Code::damaged) << damaged;
    EXPECT_EQ(dict.put_at(&seen, "new").code(), Code::damaged) << damaged;
    const std::string large(40'000, 'l');
    EXPECT_EQ(dict.put_at(&seen, large).code(), Code::damaged) << damaged;
    EXPECT_EQ(dict.erase_at(seen).code(), Code::damaged) << damaged;
    const std::vector<Item> items{{Key{"key1"}, "new"}, {Key{"other"}, "new"}};
    EXPECT_EQ(dict.put_all(items).code(), Code::damaged) << damaged;
    EXPECT_EQ(dict.contains("other").code(), Code::not_found) << damaged;
  }
}

TEST(DamagedTable, E5_AllSlotsLeadToOneEntryEveryProbeEnds) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict);
  const ControlView control(dict);
  const Word hash = entries_of(control)[1].hash;
  for (Word i = 0; i < control_slots; ++i) shared::store(slots_of(control)[i], Slot::used(1, hash).word);
  for (int i = 0; i < 20; ++i) (void)dict.contains(key(i));
  (void)dict.put("new", "value");
  (void)dict.erase(key(3));
  EXPECT_NE(unsoundness_of(dict), "");
}

TEST(DamagedTable, E5_TwoEntriesForOneKeyAreFound) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict);
  const ControlView control(dict);
  Entry* const entries = entries_of(control);
  shared::store(entries[5].ref, entries[4].ref);
  shared::store(entries[5].hash, entries[4].hash);
  EXPECT_NE(unsoundness_of(dict), "");
  for (int i = 0; i < 20; ++i) {
    std::string value;
    if (dict.get(key(i), &value)) {
      EXPECT_TRUE(is_marked(key(i), value));
    }
  }
}

// The hash of an entry is what the slots are built from; a key whose entry has another one must not be inserted twice.
TEST(DamagedTable, E4_AWrongHashHidesNoKey) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict);
  const ControlView control(dict);
  const std::string harmed = key(2);
  Sighting seen;
  ASSERT_TRUE(dict.find(harmed, &seen, nullptr, nullptr));
  shared::store(entries_of(control)[seen.entry].hash, entries_of(control)[seen.entry].hash ^ 4);
  EXPECT_TRUE(is_marked(harmed, value_of(dict, harmed)));
  EXPECT_EQ(dict.put(harmed, "second").code(), Code::damaged);
}

TEST(DamagedTable, E4_AnEmptiedEntryIsNoAbsence) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict);
  const ControlView control(dict);
  Sighting seen;
  ASSERT_TRUE(dict.find(key(2), &seen, nullptr, nullptr));
  Entry& entry = entries_of(control)[seen.entry];
  for (Word* word : {&entry.ref, &entry.hash, &entry.born, &entry.links}) shared::store(*word, 0);
  EXPECT_EQ(dict.contains(key(2)).code(), Code::damaged);
  Cursor cursor(dict);
  Status status;
  while ((status = cursor.next(&seen))) {
  }
  EXPECT_EQ(status.code(), Code::damaged) << "the walk must not end there as if that were all";
}

// The hash is keyed with a secret of the dict: what collides in one is spread in another, and nobody can know.
TEST(DamagedTable, E12_KeysThatCollideInOneDictAreSpreadInAnother) {
  const Scratch scratch;
  Dict one = scratch.open("one");
  Dict other = scratch.open("other");
  const auto homes = [](const Dict& dict, int entries) {
    const ControlView control(dict);
    std::vector<Word> found;
    for (int i = 1; i <= entries; ++i) found.push_back(entries_of(control)[i].hash % control_slots);
    return found;
  };
  std::vector<int> chosen;
  for (int i = 0; chosen.size() < 20; ++i) {
    ASSERT_TRUE(one.put(key(i), ""));
    if (homes(one, 1)[0] == 7) chosen.push_back(i);
    ASSERT_TRUE(one.erase(key(i)));
  }
  for (const int i : chosen) ASSERT_TRUE(other.put(key(i), ""));
  const std::vector<Word> spread = homes(other, 20);
  EXPECT_GT(std::set<Word>(spread.begin(), spread.end()).size(), 8U);
}

}  // namespace
}  // namespace ultradict::test
