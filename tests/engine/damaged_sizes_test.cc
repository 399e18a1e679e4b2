// SPDX-License-Identifier: Apache-2.0
// Sizes and counts that lie: no memory is taken on their word, and no file grows over a hole.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/shared_atomic.h"
#include "store/dict_files.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

void fill(Dict& dict, int keys, std::size_t value_size) {
  for (int i = 0; i < keys; ++i) require(dict.put(key(i), marked_value(key(i), 1, value_size)));
}

std::uintmax_t bytes_of(const Dict& dict) {
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory_of(dict))) bytes += file.file_size();
  return bytes;
}

SegmentDescriptor& first_closed_file(const ControlView& control) {
  Word closed = control_segments;
  while (control->segments[closed].filled == 0) ++closed;
  return control->segments[closed];
}

TEST(DamagedSizes, E7_MemoryIsNotTakenOnTheWordOfASegment) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 1500, 900);
  {
    const ControlView control(dict);
    SegmentDescriptor& closed = first_closed_file(control);
    for (Word* word : {&closed.filled, &closed.live}) shared::store(*word, Word{1} << 28);
  }
  for (int i = 1500; i < 3000 && dict.put(key(i), std::string(900, 'v')); ++i) {
  }
  EXPECT_LT(bytes_of(dict), 32U << 20);
}

// What is moved out is taken off: less than nothing would be more than any segment could take.
TEST(DamagedSizes, E7_ASegmentWithMoreToMoveThanItSaysIsDamage) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 1500, 900);
  const ControlView control(dict);
  SegmentDescriptor& closed = first_closed_file(control);
  shared::store(closed.live, 500);
  EXPECT_EQ(dict.clean().code(), Code::damaged);
  EXPECT_EQ(closed.live, 500U);
}

// A value that seems longer would take the life of others off its segment: one that seems empty is used again.
TEST(DamagedSizes, E7_ARecordWhoseLengthLiesIsNotReplaced) {
  for (const bool is_last : {false, true}) {
    const Scratch scratch;
    Dict dict = scratch.open();
    Sighting seen;
    ASSERT_TRUE(dict.put("before", std::string(100, 'v')));
    ASSERT_TRUE(dict.put(Key{"k"}, std::string(100, 'v'), &seen));
    if (!is_last) require(dict.put("behind", std::string(100, 'v')));
    const ControlView control(dict);
    const Ref ref{seen.ref};
    char* const base = reinterpret_cast<char*>(control.operator->()) + control->identity.segments_offset;
    auto* const header =
        reinterpret_cast<RecordHeader*>(base + (ref.position() - control->segments[ref.segment()].first) * unit_size);
    const RecordHeader right = *header;
    ASSERT_EQ(right.value_size, 100U);
    for (std::uint16_t bit = 8; bit < 2048; bit <<= 1) {
      header->value_size ^= bit;
      Sighting again = seen;
      EXPECT_EQ(dict.put("k", "new").code(), Code::damaged) << bit;
      EXPECT_EQ(dict.put_at(&again, "new").code(), Code::damaged) << bit;
      EXPECT_EQ(dict.put("k", std::string(600, 'n')).code(), Code::damaged) << bit;
      EXPECT_EQ(dict.put("k", std::string(40'000, 'n')).code(), Code::damaged) << bit;
      const Item items[] = {{Key{"k"}, "new"}, {Key{"another"}, "new"}};
      EXPECT_EQ(dict.put_all(items).code(), Code::damaged) << bit;
      EXPECT_EQ(dict.erase("k").code(), Code::damaged) << bit;
      EXPECT_EQ(dict.erase_at(seen).code(), Code::damaged) << bit;
      *header = right;
    }
    EXPECT_TRUE(dict.put("k", "new"));
    expect_sound(dict);
  }
}

TEST(DamagedSizes, E7_ACountThatLiesIsNoReasonForATable) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 30, 30);
  const ControlView control(dict);
  shared::store(control->state.count, Word{1} << 26);
  for (int i = 30; i < 100; ++i) (void)dict.put(key(i), "value");
  EXPECT_LT(bytes_of(dict), 1U << 20);
}

TEST(DamagedSizes, E7_EntriesThatNobodyHasAreNoReasonForATable) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict, 100, 30);
  const ControlView control(dict);
  for (Word* word : {&control->state.entries_size, &control->state.entries_used}) shared::store(*word, Word{1} << 26);
  shared::store(control->state.count, (Word{1} << 26) - 1000);
  shared::store(control->state.slots_used, SlotsName{control->state.slots}.count() / 2 + 1);
  for (int i = 100; i < 120; ++i) (void)dict.put(key(i), "value");
  EXPECT_LT(bytes_of(dict), 1U << 20);
}

TEST(DamagedSizes, E7_SlotsForKeysThatNobodyHasAreNotBuilt) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  int keys = 0;
  for (; control->state.next_slots == 0; ++keys) require(dict.put(key(keys), "value"));
  const Word file = SlotsName{control->state.next_slots}.file();
  shared::store(control->state.next_slots, SlotsName::of(file, 24).word);
  shared::store(control->state.slots_used, SlotsName{control->state.slots}.count());
  EXPECT_EQ(dict.put(key(keys), "value").code(), Code::damaged);
  EXPECT_LT(bytes_of(dict), 2U << 20);
}

// Until the slots that are being built are so many that they are allocated in steps.
int fill_until_slots_are_made_in_steps(Dict& dict, const State& state) {
  int keys = 0;
  while (state.next_slots == 0 || state.next_slots_size == SlotsName{state.next_slots}.count() * sizeof(Word)) {
    require(dict.put(key(keys++), "value"));
  }
  return keys;
}

// What lies between its end and what control says of it would be a hole: a store there is SIGBUS when memory is full.
TEST(DamagedSizes, E7_AFileGrowsFromWhereItEnds) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  const int keys = fill_until_slots_are_made_in_steps(dict, control->state);
  shared::store(control->state.next_slots_size, control->state.next_slots_size + page_size);
  EXPECT_EQ(dict.put(key(keys), "value").code(), Code::damaged);
}

TEST(DamagedSizes, E2_AFileThatIsGoneWhenItShouldGrowIsDamage) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  const int keys = fill_until_slots_are_made_in_steps(dict, control->state);
  const os::FileName slots = DictFiles::slots(SlotsName{control->state.next_slots}.file());
  ASSERT_TRUE(std::filesystem::remove(directory_of(dict) + "/" + static_cast<const char*>(slots)));
  EXPECT_EQ(dict.put(key(keys), "value").code(), Code::damaged);
}

}  // namespace
}  // namespace ultradict::test
