// SPDX-License-Identifier: Apache-2.0
// Words that steer writers and lie: what they say is checked before bytes are written by it.
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/shared_atomic.h"
#include "structures/record.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

void fill(Dict& dict, int keys, std::size_t value_size) {
  for (int i = 0; i < keys; ++i) require(dict.put(key(i), marked_value(key(i), 1, value_size)));
}

void expect_all_right(const Dict& dict, int keys) {
  for (int i = 0; i < keys; ++i) EXPECT_TRUE(is_marked(key(i), value_of(dict, key(i)))) << value_of(dict, key(i));
}

Entry* entries_of(const ControlView& control) {
  auto* base = const_cast<char*>(reinterpret_cast<const char*>(control.operator->()));
  return reinterpret_cast<Entry*>(base + control->identity.entries_offset);
}

Entry& entry_of(const ControlView& control, const Dict& dict, const std::string& name) {
  Sighting seen;
  EXPECT_TRUE(dict.find(name, &seen, nullptr, nullptr));
  return entries_of(control)[seen.entry];
}

// In control.
char* record_of(const ControlView& control, Ref ref) {
  auto* base = const_cast<char*>(reinterpret_cast<const char*>(control.operator->()));
  base += control->identity.segments_offset + ref.segment() * control->identity.segment_size;
  return base + (ref.position() - control->segments[ref.segment()].first) * unit_size;
}

TEST(DamagedWords, E4_AFreeListThatDoesNotEndIsToldToWhoFollows) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 10, 20);
  ultradict::Progress progress;
  std::vector<Sighting> changed;
  EXPECT_EQ(dict.changes(&progress, &changed).code(), Code::changed);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(dict.erase(key(i)));
  {
    const ControlView control(dict);
    const Word first = control->state.free_entry;
    shared::store(entries_of(control)[first].links, Links::of(0, first).word);
  }
  EXPECT_EQ(dict.changes(&progress, &changed).code(), Code::damaged);
}

TEST(DamagedWords, E1_AnEntryThatNamesAnOlderRecordIsFoundOnAttach) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", "value 1"));
  Word older = 0;
  {
    const ControlView control(dict);
    older = entry_of(control, dict, "k").ref;
    ASSERT_TRUE(dict.put("k", "value 2"));
    shared::store(entry_of(control, dict, "k").ref, older);
  }
  EXPECT_NE(unsoundness_of(dict).find("older record"), std::string::npos) << unsoundness_of(dict);
  ASSERT_TRUE(dict.close());
  EXPECT_EQ(Dict::open("dict", scratch.options(Create::never), &dict).code(), Code::damaged);
}

TEST(DamagedWords, E7_ALiveSizeThatLiesHidesNoDictFromItsCheck) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 20, 30);
  {
    const ControlView control(dict);
    shared::store(control->state.live_size, Word{1} << 40);
  }
  ASSERT_TRUE(dict.close());
  EXPECT_EQ(Dict::open("dict", scratch.options(Create::never), &dict).code(), Code::damaged);
}

// It was given up before it was committed: its records are newer than those of the keys, and never were values.
TEST(DamagedWords, E1_ABatchThatWasGivenUpIsNoDamage) {
  const Scratch scratch;
  Options options = scratch.options();
  options.max_bytes = 200'000;
  Dict dict = scratch.open("dict", options);
  fill(dict, 20, 100);
  std::vector<Item> items;
  const std::string large(30'000, 'x');
  const std::string names[] = {key(1), key(2), key(3), key(4), key(5), key(6), key(7), key(8)};
  for (const std::string& name : names) items.push_back({Key{name}, items.size() < 3 ? Bytes("short") : large});
  EXPECT_EQ(dict.put_all(items).code(), Code::memory_full);
  expect_sound(dict);
  expect_all_right(dict, 20);
  std::vector<Sighting> changed;
  Progress progress;
  EXPECT_EQ(dict.changes(&progress, &changed).code(), Code::changed);
  ASSERT_TRUE(dict.put(key(1), marked_value(key(1), 2, 100)));
  EXPECT_TRUE(dict.changes(&progress, &changed));
  EXPECT_EQ(changed.size(), 1U);
}

TEST(DamagedWords, E4_ATailBeforeItsSegmentIsNoPlaceToWrite) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 20, 30);
  const ControlView control(dict);
  const Word first = control->segments[0].first;
  shared::store(control->state.tail, Ref::at(first - 2, 0).word);
  EXPECT_EQ(dict.put("new", "value").code(), Code::damaged);
  expect_all_right(dict, 20);
}

TEST(DamagedWords, E7_AVictimThatIsNoSegmentIsDamage) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              Dict dict = scratch.open();
              fill(dict, 300, 900);
              const ControlView control(dict);
              shared::store(control->state.victim, 100'000'000);
              Random random(1);
              for (int i = 0; i < 3000; ++i)
                (void)dict.put(key(static_cast<int>(random.below(300))), std::string(900, 'v'));
              (void)dict.clean();
            }),
            0);
}

TEST(DamagedWords, E6_ListsThatAreCirclesEnd) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              ::alarm(20);
              Dict dict = scratch.open();
              fill(dict, 20, 30);
              std::vector<Sighting> changed;
              Progress progress;
              require(dict.changes(&progress, &changed).code() == Code::changed);
              for (int i = 10; i < 15; ++i) require(dict.erase(key(i)));
              const ControlView control(dict);
              Entry& free = entries_of(control)[control->state.free_entry];
              shared::store(free.links, Links::of(0, control->state.free_entry).word);
              Entry& fifth = entry_of(control, dict, key(5));
              shared::store(fifth.links, Links::of(Links{fifth.links}.previous(), 3).word);
              shared::store(control->state.entries_size, Word{1} << 40);
              require(dict.changes(&progress, &changed).code() == Code::damaged);
              Cursor cursor(dict);
              Sighting seen;
              Status status;
              while ((status = cursor.next(&seen))) {
              }
              require(status.code() == Code::damaged);
            }),
            0);
}

// As many entries as nobody has are not walked, nor is more told of them than anybody would read.
TEST(DamagedWords, E6_ACheckOfACircleEnds) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              ::alarm(20);
              Dict dict = scratch.open();
              fill(dict, 2000, 30);
              const ControlView control(dict);
              Entry& fifth = entry_of(control, dict, key(5));
              shared::store(fifth.links, Links::of(Links{fifth.links}.previous(), 3).word);
              const std::size_t findings = dict.check().broken.size();
              require(findings > 0 && findings <= findings_max + 1);
              for (Word* word : {&control->state.entries_size, &control->state.entries_used}) {
                shared::store(*word, Word{1} << 40);
              }
              require(!dict.check().sound());
            }),
            0);
}

TEST(DamagedWords, E6_ATableThatStaysFullHowOftenItIsMadeIsDamage) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              ::alarm(20);
              Dict dict = scratch.open();
              fill(dict, 120, 30);
              const ControlView control(dict);
              shared::store(control->state.count, 0);
              shared::store(control->state.slots_used, SlotsName{control->state.slots}.count());
              require(dict.put("new", "value").code() == Code::damaged);
            }),
            0);
}

TEST(DamagedWords, E6_ATableThatIsNeverDoneIsDamage) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              ::alarm(20);
              Dict dict = scratch.open();
              const ControlView control(dict);
              int keys = 0;
              for (; control->state.next_slots == 0 || control->state.next_slots_size == 0; ++keys) {
                require(dict.put(key(keys), "value"));
              }
              shared::store(control->state.next_entry, Word{1} << 40);
              Status status;
              for (; keys < 100'000 && status; ++keys) status = dict.put(key(keys), "value");
              require(status.code() == Code::damaged);
            }),
            0);
}

TEST(DamagedWords, E6_ALongChainThatIsACircleIsNotWalkedForEver) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              ::alarm(20);
              Dict dict = scratch.open();
              Dict child;
              require(dict.put_new_child("child", &child));
              fill(child, 5, 30);
              Dict other;
              require(dict.put_new_child("other", &other));
              const ControlView control(dict);
              Sighting seen;
              Buffer buffer;
              Record record;
              require(dict.find("child", &seen, &buffer, &record));
              Entry& header = entries_of(control)[record.child.number];
              shared::store(header.hash, HeaderCounts::of(~std::uint32_t{0}, 1).word);
              require(child.find(key(1), &seen, nullptr, nullptr));
              Entry& third = entry_of(control, child, key(3));
              shared::store(third.links, Links::of(Links{third.links}.previous(), seen.entry).word);
              for (Word* word : {&control->state.entries_size, &control->state.entries_used}) {
                shared::store(*word, Word{1} << 40);
              }
              require(other.put_child(Key{"in it"}, child).code() == Code::damaged);
            }),
            0);
}

TEST(DamagedWords, E9_ABlobThatClaimsMoreThanItsFileHas) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", std::string(40'000, 'b')));
  const ControlView control(dict);
  char* const record = record_of(control, Ref{entry_of(control, dict, "k").ref});
  auto* header = reinterpret_cast<RecordHeader*>(record);
  const Word size = Word{1} << 45;
  std::memcpy(record + sizeof(RecordHeader) + 1, &size, sizeof size);
  header->checksum = 0;
  header->checksum = record_checksum(record, record_size(*header));
  std::string value;
  EXPECT_EQ(dict.get("k", &value).code(), Code::damaged);
  EXPECT_LT(value.capacity(), 1U << 20);
}

TEST(DamagedWords, E9_ABatchThatWasAppliedIsNotAppliedAgain) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::vector<Item> items{{Key{"a"}, "old a"}, {Key{"b"}, "old b"}};
  ASSERT_TRUE(dict.put_all(items));
  const ControlView control(dict);
  const Word pending = entry_of(control, dict, "a").ref;
  ASSERT_TRUE(dict.put("a", "new a"));
  shared::store(control->state.pending, pending);
  const Word at = Ref{pending}.position();
  const Word next = at + record_size(1, 0, 5) / unit_size;  // with it as the end "old a" alone would be put
  for (const auto& [begin, end] : {std::pair{Word{0}, next}, std::pair{at, at}, std::pair{at + 1, next}}) {
    shared::store(control->state.batch_begin, begin);
    shared::store(control->state.pending_end, end);
    shared::store(control->state.repair, 1);
    EXPECT_EQ(dict.put("c", "value").code(), Code::damaged);
    EXPECT_EQ(value_of(dict, "a"), "new a");
  }
}

TEST(DamagedWords, E9_ACountIsNoMoreThanThereCanBeEntries) {
  const Scratch scratch;
  const Dict dict = scratch.open();
  const ControlView control(dict);
  for (const Word count : {~Word{0}, Word{1} << 63, Word{1} << 62}) {
    shared::store(control->state.count, count);
    EXPECT_LE(dict.count(), Word{1} << 31);
  }
  shared::store(control->state.count, 0);
}

TEST(DamagedWords, E9_ANestedDictThatIsNotDoomedIsNotFreed) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child;
  ASSERT_TRUE(dict.put_new_child("n", &child));
  ASSERT_TRUE(child.put("x", "1"));
  for (const bool is_loose : {false, true}) {
    const ControlView control(dict);
    Word& list = is_loose ? control->state.loose : control->state.doomed;
    shared::store(list, child.child_id().number);
    shared::store(control->state.repair, 1);
    EXPECT_EQ(dict.put("c", "value").code(), Code::damaged);
    EXPECT_EQ(value_of(dict, "n/x"), "1");
    shared::store(list, 0);
  }
}

}  // namespace
}  // namespace ultradict::test
