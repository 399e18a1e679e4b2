// SPDX-License-Identifier: Apache-2.0
// A stranger writes into a dict between any two stores of a writer: over what was just stored, or over the record that
// the writer is about to replace. What is read afterwards is right, or an error.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "crashes/crash_point.h"
#include "crashes/scenario.h"
#include "store/life.h"
#include "store/store.h"
#include "structures/record.h"
#include "support/scale.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

// Notes where a process stores, but for the words that are stored with every change.
class Places : public Observer {
 public:
  explicit Places(const Control& control) : control_(control) {}
  void after_store(const void* address, std::size_t) override {
    const auto* const word = static_cast<const Word*>(address);
    const bool is_of_all = address >= &control_ && address < &control_ + 1;
    if (!is_of_all && std::ranges::find(words, word) == words.end()) words.push_back(word);
  }
  void after_file_call(int) override {}
  void after_open() override {}

  std::vector<const Word*> words;

 private:
  const Control& control_;
};

// Changes a word after the n-th store, n from 0: `victim`, or, if that is null, what was just stored.
class Stranger : public Observer {
 public:
  Stranger(std::size_t store, const Word* victim) : store_(store), victim_(victim) {}
  void after_store(const void* address, std::size_t) override {
    if (stores++ != store_) return;
    const auto* const word = victim_ ? victim_ : static_cast<const Word*>(address);
    *const_cast<Word*>(word) ^= Word{1} << (store_ * 11 % 64);
  }
  void after_file_call(int) override {}
  void after_open() override {}

  std::size_t stores = 0;

 private:
  std::size_t store_;
  const Word* victim_;
};

constexpr std::size_t small = 40;  // bytes of a value
constexpr std::size_t longer = 50;
constexpr std::size_t longest = 700;

std::string face_of(const std::string& key) { return "the face of " + key; }
bool has_face(const std::string& key) { return key.starts_with("faced"); }

Step put_marked(const std::string& key, std::uint64_t number, std::size_t size) {
  return [=](Dict& dict) {
    const std::string face = face_of(key);
    return dict.put(Key{key, has_face(key) ? Bytes(face) : Bytes()}, marked_value(key, number, size), nullptr);
  };
}

// Known by a Sighting, not by its key.
Step put_marked_at(const std::string& key, std::uint64_t number, std::size_t size) {
  return [=](Dict& dict) {
    Sighting seen;
    Buffer buffer;
    Record record;
    if (Status status = dict.find(key, &seen, &buffer, &record); !status) return status;
    return dict.put_at(&seen, marked_value(key, number, size));
  };
}

Step put_all_marked(const std::vector<std::string>& keys, std::uint64_t number, std::size_t size) {
  return [=](Dict& dict) {
    std::vector<std::string> texts;
    std::vector<Item> items;
    for (const std::string& key : keys) {
      texts.push_back(marked_value(key, number, size));
      texts.push_back(has_face(key) ? face_of(key) : "");
    }
    for (std::size_t i = 0; i < keys.size(); ++i) items.push_back({Key{keys[i], texts[2 * i + 1]}, texts[2 * i]});
    return dict.put_all(items);
  };
}

void require_right(const Dict& dict, const std::vector<std::string>& keys) {
  std::string value;
  for (const std::string& key : keys) {
    if (dict.get(key, &value)) require(is_marked(key, value));
  }
  Cursor cursor(dict);
  Sighting seen;
  Buffer buffer;
  Record record;
  for (std::size_t steps = 0; steps < 100 && cursor.next(&seen, &buffer, &record); ++steps) {
    const std::string key(record.canonical);
    if (!record.is_blob) require(is_marked(key, record.value));
    require(record.face == (has_face(key) ? face_of(key) : ""));
  }
}

const std::vector<std::string> keys = {"a", "key", "a key of many bytes", "faced", "faced as well, at length", "new"};

// What is done to a key beside a stranger. What a child finds is seen by its exit.
class Attacked {
 public:
  Attacked(std::string key, Step act) : key_(std::move(key)), act_(std::move(act)) {}

  // After each store of the act the stranger changes what was just stored, or one of the words that were stored for the
  // key before.
  void everywhere() {
    if (forks_are_slow()) GTEST_SKIP() << "thousands of forks";
    ASSERT_EQ(in_child([&] { run(~std::size_t{0}, 0); }), 0);
    ASSERT_EQ(note_->done, 1U);
    ASSERT_GT(note_->stores, 5U);
    ASSERT_GE(note_->words, key_ == "new" ? 0U : 5U);
    std::size_t tried = 0;
    const std::uint64_t one_of = is_sanitized() ? 150 : scaled(5, 1);  // a fork takes long there
    Random random(seed());
    for (std::size_t store = 0; store < note_->stores; ++store) {
      for (std::size_t word = 0; word <= note_->words; ++word) {
        if (random.below(one_of) != 0) continue;
        ASSERT_EQ(in_child([&] { run(store, word); }), 0)
            << "after store " << store << ", word " << word << " of " << note_->words << ", seed " << seed();
        ++tried;
      }
    }
    std::cout << "changed under a writer: " << tried << " words, " << note_->done - 1 << " of the writes were done\n";
  }

 private:
  struct Note {
    std::size_t stores = 0;
    std::size_t words = 0;
    std::size_t done = 0;
  };

  void run(std::size_t store, std::size_t word) {
    ::alarm(20);
    const Scratch scratch;
    Dict dict = scratch.open();
    const LockGuard guard(dict);  // its word is spared: a lock that names one who lives is waited for
    for (const std::string& key : keys) {
      if (key != "new" && key != key_) require(put_marked(key, 1, small)(dict));
    }
    Places places(find_open(dict.id())->control());
    observe(&places);
    if (key_ != "new") require(put_marked(key_, 1, small)(dict));
    note_->words = places.words.size();
    Stranger stranger(store, word == 0 ? nullptr : places.words[word - 1]);
    observe(&stranger);
    const Status status = act_(dict);
    observe(nullptr);
    note_->stores = std::max(note_->stores, stranger.stores);
    note_->done += status ? 1 : 0;
    require_right(dict, keys);
  }

  std::string key_;
  Step act_;
  SharedNote<Note> note_;
};

class DamageUnderAWriter : public testing::TestWithParam<std::string> {};

TEST_P(DamageUnderAWriter, E8_OfAPut) { Attacked(GetParam(), put_marked(GetParam(), 2, longer)).everywhere(); }

TEST_P(DamageUnderAWriter, E8_OfAPutOfALongValue) {
  Attacked(GetParam(), put_marked(GetParam(), 2, longest)).everywhere();
}

TEST_P(DamageUnderAWriter, E8_OfAPutOfManyKeys) {
  Attacked(GetParam(), put_all_marked({GetParam(), "another"}, 2, longer)).everywhere();
}

INSTANTIATE_TEST_SUITE_P(Keys, DamageUnderAWriter, testing::Values("new", "key", "a key of many bytes", "faced"));

TEST(DamageUnderAWriterToo, E8_OfAPutToAKeySeenBefore) {
  for (const char* key : {"key", "a key of many bytes", "faced"}) {
    Attacked(key, put_marked_at(key, 2, longer)).everywhere();
    Attacked(key, put_marked_at(key, 2, longest)).everywhere();
  }
}

TEST(DamageUnderAWriterToo, E8_OfAPutOfAVeryLongValue) {
  Attacked("faced", put_marked("faced", 2, composed_record_max)).everywhere();
}

TEST(DamageUnderAWriterToo, E8_OfAnErasure) { Attacked("key", erase("key")).everywhere(); }

TEST(DamageUnderAWriterToo, E8_OfCleaning) {
  const Step overwrite_and_clean = [](Dict& dict) {
    if (Status status = put_marked("key", 2, longer)(dict); !status) return status;
    return dict.clean();
  };
  Attacked("faced", overwrite_and_clean).everywhere();
}

TEST(DamageUnderAWriterToo, E8_OfAPutOfALargeValue) {
  Attacked("faced", put_marked("faced", 2, blob_size_min + 1)).everywhere();
}

}  // namespace
}  // namespace ultradict::test
