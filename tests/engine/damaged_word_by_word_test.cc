// SPDX-License-Identifier: Apache-2.0
// Every word of a small dict, one at a time, with each of a few values that mean something: whatever is done with the
// dict then ends, with an answer or an error; and with the word as it was, all is there.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "support/child.h"
#include "support/content.h"
#include "support/scale.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

// Some keys, free entries, dead records, a nested dict with a key, and a slot array that grows.
void fill(Dict& dict) {
  for (std::uint64_t i = 0; i < 33; ++i) require(dict.put(key(i), std::string(8 + i, 'v')));
  Dict child;
  require(dict.put_new_child("child", &child));
  require(child.put("in", "side"));
  for (std::uint64_t i = 3; i < 6; ++i) require(dict.erase(key(i)));
}

void read_all_ways(const Dict& dict, Progress progress) {
  std::string value;
  Sighting seen;
  Buffer buffer;
  Record record;
  (void)dict.get(key(1), &value);
  (void)dict.get(key(20), &value);
  (void)dict.contains("nothing");
  Dict child;
  if (dict.open_child("child", &child)) (void)child.get("in", &value);
  for (const auto direction : {Cursor::Direction::forward, Cursor::Direction::backward}) {
    Cursor cursor(dict, direction);
    for (int steps = 0; steps < 100 && cursor.next(&seen, &buffer, &record); ++steps) {
    }
  }
  Cursor cursor(dict, Cursor::Direction::following);
  Passed passed[16];
  std::size_t count = 0;
  std::uint64_t table = 0;
  for (int steps = 0; steps < 10 && cursor.next_some(passed, &count, &table); ++steps) {
  }
  std::vector<Sighting> changed;
  (void)dict.changes(&progress, &changed);
}

void write_all_ways(Dict& dict) {
  (void)dict.put(key(1), "overwritten");
  (void)dict.put("new", "inserted");
  (void)dict.erase(key(2));
  (void)dict.try_put(Key{"quick"}, "v", nullptr);
  const std::string seventh = key(7);
  const Item items[] = {{Key{seventh}, "w"}, {Key{"newer"}, "w"}, {Key{"newest"}, "w"}};
  (void)dict.put_all(items);
  Dict child;
  if (dict.open_child("child", &child)) {
    (void)child.put("in", "there");
    (void)child.clear();
  }
  (void)dict.put_new_child("child", &child);
  (void)dict.check();
  (void)dict.clean();
  (void)dict.dump();
  (void)dict.clear();
}

// Of every so many words one; a child takes many times longer under a sanitizer.
std::size_t stride_of(std::size_t words) { return scaled(is_sanitized() ? 3 * words : words, 1); }

class WordByWord {
 public:
  WordByWord() : dict_(opened()), control_(dict_) {
    std::vector<Sighting> changed;
    require(dict_.changes(&progress_, &changed).code() == Code::changed);
    fill(dict_);
    require(dict_.open_child("child", &child_));
    require(dict_.find(key(8), &seen_, nullptr, nullptr));
    content_ = content_of(dict_);
    bytes_.assign(base(), control_->identity.size);
  }

  // In a child, for what a process has found out about a dict is its own; each value once read and once written.
  void damage(std::size_t offset) {
    std::memcpy(&before_, bytes_.data() + offset, sizeof before_);
    const Word values[] = {0, 1, before_ + 1, before_ ^ (Word{1} << 35), 60, ~Word{0}};
    for (const Word value : values) {
      if (value == before_) continue;
      EXPECT_EQ(in_child([&] {
                  ::alarm(20);
                  std::memcpy(base() + offset, &value, sizeof value);
                  (void)child_.count();
                  read_all_ways(dict_, progress_);
                  Sighting seen = seen_;
                  (void)dict_.put_at(&seen, "by what was seen of it");
                  (void)dict_.erase_at(seen);
                  write_all_ways(dict_);
                }),
                0)
          << "offset " << offset << ": " << value << " for " << before_;
      std::memcpy(base(), bytes_.data(), bytes_.size());
    }
  }

  // From here on the dict is as if its writer had died in the middle of the change that its journal tells of.
  void leave_half_done(Word stores) {
    control_->journal.word = stores;
    bytes_.assign(base(), control_->identity.size);
  }

  const Control& control() const { return *control_.operator->(); }
  void expect_as_before() const {
    EXPECT_EQ(summary_of(content_of(dict_)), summary_of(content_));
    expect_sound(dict_);
  }

 private:
  Dict opened() const {
    Options options = scratch_.options();
    options.buffer_size = page_size;
    Dict dict = scratch_.open("dict", options);
    return dict;
  }
  char* base() const { return reinterpret_cast<char*>(control_.operator->()); }

  Scratch scratch_;
  Dict dict_;
  ControlView control_;
  Dict child_;
  Sighting seen_;
  Progress progress_;  // from before there was anything
  Content content_;
  std::string bytes_;
  Word before_ = 0;
};

TEST(DamagedWordByWord, E7_OfTheStateEndsInAnErrorOrAnAnswer) {
  if (forks_are_slow()) GTEST_SKIP() << "many forks";
  WordByWord dict;
  for (std::size_t word = 0; word < sizeof(State) / sizeof(Word); ++word) {
    dict.damage(offsetof(Control, state) + word * sizeof(Word));
  }
  for (std::size_t word = 0; word < 2 * sizeof(SegmentDescriptor) / sizeof(Word); ++word) {
    dict.damage(offsetof(Control, segments) + word * sizeof(Word));
  }
  dict.expect_as_before();
}

TEST(DamagedWordByWord, E7_OfTheEntriesEndsInAnErrorOrAnAnswer) {
  if (forks_are_slow()) GTEST_SKIP() << "many forks";
  WordByWord dict;
  const std::size_t stride = stride_of(3);
  for (std::size_t word = sizeof(Entry) / sizeof(Word); word < 40 * sizeof(Entry) / sizeof(Word); word += stride) {
    dict.damage(dict.control().identity.entries_offset + word * sizeof(Word));
  }
  dict.expect_as_before();
}

TEST(DamagedWordByWord, E7_OfTheSlotsEndsInAnErrorOrAnAnswer) {
  if (forks_are_slow()) GTEST_SKIP() << "many forks";
  WordByWord dict;
  const std::size_t stride = stride_of(5);
  for (std::size_t word = 0; word < control_slots; word += stride) {
    dict.damage(dict.control().identity.slots_offset + word * sizeof(Word));
  }
  dict.expect_as_before();
}

TEST(DamagedWordByWord, E7_OfTheRecordsEndsInAnErrorOrAnAnswer) {
  if (forks_are_slow()) GTEST_SKIP() << "many forks";
  WordByWord dict;
  const std::size_t stride = stride_of(3);
  for (std::size_t word = 0; word < dict.control().segments[0].size / sizeof(Word); word += stride) {
    dict.damage(dict.control().identity.segments_offset + word * sizeof(Word));
  }
  dict.expect_as_before();
}

TEST(DamagedWordByWord, E7_OfAJournalEndsInAnErrorOrAnAnswer) {
  if (forks_are_slow()) GTEST_SKIP() << "many forks";
  WordByWord dict;
  constexpr Word stores = 8;
  dict.leave_half_done(stores);
  for (std::size_t word = 0; word < 1 + 2 * stores; ++word) {
    dict.damage(offsetof(Control, journal) + word * sizeof(Word));
  }
}

}  // namespace
}  // namespace ultradict::test
