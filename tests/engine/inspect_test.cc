// SPDX-License-Identifier: Apache-2.0
// The full check must find what is broken, each by its name: a check that finds nothing proves nothing.
#include "store/inspect.h"

#include <gtest/gtest.h>

#include <cstring>

#include <unistd.h>

#include <atomic>
#include <functional>

#include "base/shared_atomic.h"
#include "store/dict_files.h"
#include "structures/record.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

void fill(Dict& dict) {
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(dict.put("k" + std::to_string(i), std::string(20, 'v')));
  for (int i = 0; i < 40; i += 4) ASSERT_TRUE(dict.erase("k" + std::to_string(i)));
  ASSERT_TRUE(dict.put("blob", std::string(50'000, 'b')));
}

TEST(Inspect, FiguresOfASmallDict) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Stats stats = dict.stats();
  EXPECT_EQ(stats.count + stats.content_size + stats.live_size + stats.dead_size + stats.blobs, 0U);
  EXPECT_EQ(stats.segments, 2U);
  ASSERT_TRUE(dict.put("key", "value"));
  ASSERT_TRUE(dict.put("key", "longer value"));
  ASSERT_TRUE(dict.put("blob", std::string(50'000, 'b')));
  stats = dict.stats();
  EXPECT_EQ(stats.count, 2U);
  EXPECT_EQ(stats.content_size, 3 + 12 + 4 + 50'000U);
  EXPECT_EQ(stats.live_size, record_size(3, 0, 12) + record_size(4, 0, sizeof(BlobValue)));
  EXPECT_EQ(stats.dead_size, record_size(3, 0, 5));
  EXPECT_EQ(stats.blobs, 1U);
  EXPECT_EQ(stats.blob_size, 50'000U);
  EXPECT_GE(stats.log_size, stats.live_size + stats.dead_size);
  EXPECT_GT(stats.table_size, 0U);
  EXPECT_EQ(stats.recoveries, 0U);
}

TEST(Inspect, FiguresBesideAWriterAreNeverNonsense) {
  const Scratch scratch;
  Dict dict = scratch.open();
  SharedNote<std::atomic<bool>> stop;
  Child writer([&] {
    while (!stop->load()) {
      for (int i = 0; i < 300; ++i) require(dict.put("k" + std::to_string(i % 50), std::string(500, 'v')));
      require(dict.clear());
    }
  });
  for (int i = 0; i < 100'000; ++i) {
    const Stats stats = dict.stats();
    ASSERT_LT(stats.dead_size, 1ULL << 40) << "read " << i;
    ASSERT_LT(stats.table_size, 1ULL << 40);
  }
  stop->store(true);
  EXPECT_EQ(writer.wait(), 0);
}

// A segment that begins anew between two looks at it stands still here: it begins behind the tail that was seen.
TEST(Inspect, ATailThatLeftItsSegmentEndsWhereItBegan) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict);
  const ControlView control(dict);
  const Ref tail{shared::load(control->state.tail)};
  shared::store(control->segments[tail.segment()].first, tail.position() + 1000);
  ASSERT_EQ(control->state.closed_size, 0U);
  EXPECT_EQ(dict.stats().dead_size, 0U);
}

// So it looks like to who asks between the two stores by which a nested dict is made.
TEST(Inspect, MoreNestedDictsThanWereMadeAreNoneThatEnded) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const ControlView control(dict);
  shared::store(control->state.dict_count, control->state.dicts_made + 1);
  EXPECT_EQ(dict.children_ended(), 0U);
}

// Breaks one thing and expects check() to say the words.
void expect_found(const std::string& words, const std::function<void(Control&, Entry*)>& harm) {
  SCOPED_TRACE(words);
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict);
  ASSERT_EQ(unsoundness_of(dict), "");
  {
    const ControlView control(dict);
    auto* base = reinterpret_cast<char*>(control.operator->());
    harm(*control.operator->(), reinterpret_cast<Entry*>(base + control->identity.entries_offset));
  }
  EXPECT_NE(unsoundness_of(dict).find(words), std::string::npos) << unsoundness_of(dict);
}

void add(Word& word, Word difference) { shared::store(word, word + difference); }

TEST(Inspect, E7_FindsCountsThatLie) {
  expect_found("count", [](Control& control, Entry*) { add(control.state.count, 1); });
  expect_found("count of exotic keys", [](Control& control, Entry*) { add(control.state.exotic_count, 1); });
  expect_found("live size", [](Control& control, Entry*) { add(control.state.live_size, 8); });
  expect_found("content size", [](Control& control, Entry*) { add(control.state.content_size, 1); });
  expect_found("count of blobs", [](Control& control, Entry*) { add(control.state.blob_count, 1); });
  expect_found("size of blobs", [](Control& control, Entry*) { add(control.state.blob_size, 1); });
  expect_found("closed size", [](Control& control, Entry*) { add(control.state.closed_size, 8); });
  expect_found("segment: live bytes", [](Control& control, Entry*) { add(control.segments[0].live, 8); });
  expect_found("slots: used", [](Control& control, Entry*) { add(control.state.slots_used, 1); });
}

TEST(Inspect, E6_FindsABrokenChain) {
  expect_found("chain: last", [](Control& control, Entry*) { add(control.state.ends, Word{1} << 32); });
  expect_found("chain: previous", [](Control&, Entry* entries) { add(entries[7].links, 1); });
  expect_found("chain: born grows", [](Control&, Entry* entries) { shared::store(entries[7].born, 1); });
  expect_found("chain: it ends", [](Control&, Entry* entries) {
    shared::store(entries[11].links, Links::of(Links{entries[11].links}.previous(), 2).word);
  });
  expect_found("entry number", [](Control&, Entry* entries) {
    shared::store(entries[7].links, Links::of(Links{entries[7].links}.previous(), 0xffff'ffff).word);
  });
}

// Entry 1 is the header of a nested dict, with one key in it.
void expect_found_in_nested(const std::string& words, const std::function<void(Control&, Entry&)>& harm) {
  SCOPED_TRACE(words);
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child;
  ASSERT_TRUE(dict.put_new_child("n", &child));
  ASSERT_TRUE(child.put("x", "1"));
  ASSERT_EQ(child.child_id().number, 1U);
  ASSERT_EQ(unsoundness_of(dict), "");
  {
    const ControlView control(dict);
    auto* base = reinterpret_cast<char*>(control.operator->());
    harm(*control.operator->(), reinterpret_cast<Entry*>(base + control->identity.entries_offset)[1]);
  }
  EXPECT_NE(unsoundness_of(dict).find(words), std::string::npos) << unsoundness_of(dict);
}

TEST(Inspect, E6_E7_FindsBrokenNestedDicts) {
  expect_found_in_nested("nested dict: links", [](Control&, Entry& header) { add(header.hash, Word{1} << 32); });
  expect_found_in_nested("count", [](Control&, Entry& header) { add(header.hash, 1); });
  expect_found_in_nested("count of exotic keys", [](Control&, Entry& header) { add(header.ref, 1); });
  expect_found_in_nested("nested dict: born", [](Control&, Entry& header) { add(header.born, 1); });
  expect_found_in_nested("nested dict: loose", [](Control&, Entry& header) { add(header.ref, HeaderMark::listed); });
  expect_found_in_nested("count of nested keys", [](Control& control, Entry&) { add(control.state.nested_count, 1); });
  expect_found_in_nested("count of nested dicts", [](Control& control, Entry&) { add(control.state.dict_count, 1); });
  expect_found_in_nested("none is being freed", [](Control& control, Entry&) { add(control.state.loose, 1); });
  expect_found_in_nested("nested dict: no header", [](Control&, Entry& header) { shared::store(header.ref, 0); });
}

TEST(Inspect, E6_FindsABrokenFreeList) {
  expect_found("free", [](Control& control, Entry*) { shared::store(control.state.free_entry, 2); });
  expect_found("free", [](Control& control, Entry*) { shared::store(control.state.free_entry, 0); });
}

TEST(Inspect, E4_FindsBrokenEntriesAndRecords) {
  expect_found("hash", [](Control&, Entry* entries) { add(entries[7].hash, 1); });
  expect_found("record: entry", [](Control&, Entry* entries) { shared::store(entries[7].ref, entries[8].ref); });
  expect_found("record: checksum", [](Control& control, Entry* entries) {
    const Ref ref{entries[7].ref};
    char* segment = reinterpret_cast<char*>(&control) + control.identity.segments_offset;
    segment += ref.segment() * control.identity.segment_size;
    char* record = segment + (ref.position() - control.segments[ref.segment()].first) * unit_size;
    record[sizeof(RecordHeader) + 5] ^= 1;
  });
}

TEST(Inspect, E5_FindsAMissingSlotAndOneTooMany) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("a", "1"));
  ASSERT_TRUE(dict.put("b", "2"));
  const ControlView control(dict);
  auto* slots = reinterpret_cast<Word*>(reinterpret_cast<char*>(control.operator->()) + control->identity.slots_offset);
  Word* used = slots;
  while (*used == 0) ++used;
  Word* empty = slots;
  while (*empty != 0) ++empty;
  const Word word = *used;
  shared::store(*used, Slot::tombstone().word);
  EXPECT_NE(unsoundness_of(dict).find("slots: they lead to entry"), std::string::npos);
  shared::store(*used, word ^ (Word{1} << 33));
  EXPECT_NE(unsoundness_of(dict).find("slot: check bits"), std::string::npos);
  shared::store(*used, word);
  EXPECT_EQ(unsoundness_of(dict), "");
  shared::store(*empty, word);
  EXPECT_NE(unsoundness_of(dict).find("slots: one for each key"), std::string::npos);
}

TEST(Inspect, H1_FindsABlobThatIsGone) {
  const Scratch scratch;
  Dict dict = scratch.open();
  fill(dict);
  Sighting seen;
  Buffer buffer;
  ASSERT_TRUE(dict.find("blob", &seen, &buffer, nullptr));
  ASSERT_EQ(::unlink((directory_of(dict) + "/" + std::string(DictFiles::blob(seen.sequence))).c_str()), 0);
  EXPECT_FALSE(dict.check().sound());
  EXPECT_NE(unsoundness_of(dict), "\n") << "a finding without words";
  std::string value;
  const Status status = dict.get("blob", &value);
  EXPECT_EQ(status.code(), Code::damaged);
  EXPECT_NE(status.message().find("its file is missing"), std::string::npos) << status.message();
}

// Which would be the root: it has no header.
TEST(Inspect, E9_AChildWithoutANumberIsDamage) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child;
  ASSERT_TRUE(dict.put_new_child("c", &child));
  const ControlView control(dict);
  char* const record = reinterpret_cast<char*>(control.operator->()) + control->identity.segments_offset;
  char* const number = record + sizeof(RecordHeader) + 1;
  ASSERT_EQ(number[-1], 'c');
  std::memset(number, 0, sizeof(Word));
  EXPECT_EQ(dict.erase("c").code(), Code::damaged);
}

}  // namespace
}  // namespace ultradict::test
