// SPDX-License-Identifier: Apache-2.0
// Memory of every size: filled to the last byte, lived in, and attached to by a process that comes when nothing is left
// at all. What does not fit is refused and changes nothing; nobody is ended by SIGBUS.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/hash.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scale.h"
#include "support/small_memory.h"

namespace ultradict::test {
namespace {

constexpr std::size_t items_max = 100'000;
constexpr std::size_t blob_size = 40'000;

// A value is made of these numbers, so that it can be compared without being kept.
struct Sample {
  std::uint64_t number;
  std::uint64_t version;
  std::size_t size;

  std::string key() const { return "key" + std::to_string(number); }
  std::string value() const {
    std::string bytes(size, static_cast<char>('a' + (number + version) % 26));
    const std::string mark = std::to_string(number) + "|" + std::to_string(version) + "|";
    std::copy_n(mark.begin(), std::min(mark.size(), size), bytes.begin());
    return bytes;
  }
};

// What processes leave to each other and to the test, outside of the memory that is full.
struct Notes {
  std::uint64_t operations = 0;
  std::uint64_t refusals = 0;
  std::uint64_t created = 0;
  std::uint64_t overwritten = 0;  // where nothing was left
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  Sample samples[items_max];
};

// One process in memory of one size.
class Inhabitant {
 public:
  Inhabitant(const SmallMemory& memory, std::uint64_t pages, Notes& notes)
      : memory_(memory), pages_(pages), random_(seed() * 7919 + pages), notes_(notes) {}

  // Makes the dict, fills it, and others take what is left.
  void create() {
    Options options = memory_.options(Create::always);
    constexpr std::uint64_t buffer_sizes[] = {10'000, 0, 150'000};
    options.buffer_size = buffer_sizes[pages_ % 3];
    if (!done(Dict::open("dict", options, &dict_))) return expect_nothing_made();
    ++notes_.created;
    fill();
    compare();
    memory_.fill_up();
    check(memory_.free_pages() == 0, "others could not take what was left");
    refuse();
    overwrite_where_nothing_is_left();
    compare();
    std::ranges::copy(samples_, notes_.samples);
    notes_.count = samples_.size();
    notes_.bytes = bytes();
  }

  // Comes when no byte is left: finds all, makes room by deleting, and goes on.
  void take_over() {
    samples_.assign(notes_.samples, notes_.samples + notes_.count);
    memory_.fill_up();  // what the other had mapped is free by now
    check(memory_.free_pages() == 0, "something is left");
    must(Dict::open("dict", memory_.options(Create::never), &dict_));
    compare();
    erase_every(4);
    compare();
    put_where_something_went();
    compare();
    memory_.empty();
    must(dict_.clean());
    fill_nested();
    compare();
    must(dict_.clear());
    samples_.clear();
    fill();
    compare();
    check(bytes() * 10 >= notes_.bytes * (pages_ < 512 ? 5 : 8), "after clear() there is less room");
  }

 private:
  // Of many sizes, the largest an eighth of all, and so that not too many fit into much memory.
  std::size_t some_size() {
    constexpr std::size_t sizes[] = {0, 10, 100, 700, 3000, 12'000, blob_size};
    const std::size_t size = sizes[random_.below(std::size(sizes))];
    return std::min<std::size_t>(size, pages_ * page_size / 8);
  }

  // Until not even an empty value is taken.
  void fill() {
    for (std::size_t size = some_size(); samples_.size() < items_max; size = some_size()) {
      while (!put({next_number_, 0, size})) {
        if (size == 0) return;
        size /= 4;
      }
      ++next_number_;
    }
  }

  bool put(const Sample& sample) {
    if (!done(dict_.put(sample.key(), sample.value()))) return false;
    samples_.push_back(sample);
    return true;
  }

  bool overwrite(Sample& sample) {
    Sample next = sample;
    ++next.version;
    if (!done(dict_.put(next.key(), next.value()))) return false;
    sample = next;
    return true;
  }

  // What needs more than there is, and changes nothing: a large value, a batch, a nested dict with one.
  void refuse() {
    const std::string blob(blob_size, 'b');
    check(!done(dict_.put("large", blob)), "a large value found room");
    std::vector<std::string> keys;
    for (int i = 0; i < 20; ++i) keys.push_back("new" + std::to_string(i));
    std::vector<ultradict::Item> items;
    for (const std::string& key : keys) items.push_back({Key{key}, blob});
    if (!samples_.empty()) items.push_back({Key{keys[0]}, "small"});
    check(!done(dict_.put_all(items)), "a batch found room");
    Dict child;
    if (done(dict_.put_new_child("nested", &child))) {
      check(!done(child.put("large", blob)), "a large value found room in a nested dict");
      must(dict_.erase("nested"));
    }
    check(orphans_of(dict_).empty(), "files were left over");
  }

  void overwrite_where_nothing_is_left() {
    for (Sample& sample : samples_) notes_.overwritten += overwrite(sample) ? 1 : 0;
  }

  void erase_every(std::size_t stride) {
    std::vector<Sample> left;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (i % stride == 0) {
        must(dict_.erase(samples_[i].key()));
      } else {
        left.push_back(samples_[i]);
      }
    }
    samples_ = std::move(left);
  }

  // A quarter of the keys is gone: one of its kind finds room, and so does a new value of a key that is there.
  void put_where_something_went() {
    if (samples_.size() < 8) return;
    const std::size_t before = samples_.size();
    next_number_ = notes_.samples[notes_.count - 1].number + 1;
    check(put({next_number_++, 2, 0}), "nothing finds room after deletions");
    int overwritten = 0;
    for (std::size_t i = 0; i < before; ++i) overwritten += overwrite(samples_[i]) ? 1 : 0;
    check(overwritten > 0, "nothing can be overwritten after deletions");
  }

  void fill_nested() {
    Dict child;
    if (!done(dict_.put_new_child("nested", &child))) return;
    std::uint64_t number = 0;
    while (done(child.put("in" + std::to_string(number), std::string(number % 5 * 300, 'n')))) ++number;
    check(child.count() == number, "a nested dict lost keys");
    check(unsoundness_of(dict_).empty(), "with a nested dict it is not sound");
    must(dict_.erase("nested"));
  }

  // The same items in the same order, each whole; and the dict is sound.
  void compare() {
    std::size_t at = 0;
    Cursor cursor(dict_);
    Sighting seen;
    Buffer buffer;
    Record record;
    std::string blob;
    Status status;
    while ((status = cursor.next(&seen, &buffer, &record))) {
      check(at < samples_.size(), "it has more keys than were put");
      const Sample& sample = samples_[at++];
      if (record.is_blob) {
        blob.resize(record.value_size);
        must(dict_.read_blob(seen, record.value_size, blob.data()));
      }
      check(record.canonical == sample.key(), "another key");
      check((record.is_blob ? Bytes(blob) : record.value) == sample.value(), "another value");
    }
    check(status.code() == Code::not_found && at == samples_.size(), "it has fewer keys than were put");
    const std::string unsound = unsoundness_of(dict_);
    check(unsound.empty(), unsound.c_str());
    notes_.operations += at;
  }

  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const Sample& sample : samples_) sum += sample.size;
    return sum;
  }

  bool done(const Status& status) {
    ++notes_.operations;
    if (status) return true;
    ++notes_.refusals;
    check(status.code() == Code::memory_full && !status.message().empty(), status.message().c_str());
    return false;
  }

  void must(const Status& status) {
    ++notes_.operations;
    check(static_cast<bool>(status), status.message().c_str());
  }

  void expect_nothing_made() const {
    check(pages_ < 64, "there is memory for a dict, yet it was refused");
    for (const char* folder : {"/d", "/n"}) {
      std::error_code missing;
      const std::filesystem::directory_iterator entries(memory_.path() + folder, missing);
      check(missing || entries == end(entries), "a dict that was refused left something");
    }
  }

  void check(bool holds, const char* what, int line = __builtin_LINE()) const {
    if (holds) return;
    std::fprintf(stderr, "line %d, %llu pages, seed %llu: %s\n", line, static_cast<unsigned long long>(pages_),
                 static_cast<unsigned long long>(seed()), what);
    require(false);
  }

  const SmallMemory& memory_;
  std::uint64_t pages_;
  Random random_;
  Notes& notes_;
  Dict dict_;
  std::vector<Sample> samples_;
  std::uint64_t next_number_ = 0;
};

// The sizes in pages: the first ones all, then spread up to 16 MB, or each of them; and 64 MB.
std::vector<std::uint64_t> sizes() {
  std::vector<std::uint64_t> pages;
  for (std::uint64_t count = 1; count <= 4096; count += is_stressed() || count < 24 ? 1 : count / 8) {
    pages.push_back(count);
  }
  pages.push_back(16'384);
  return pages;
}

TEST(FullMemoryCampaign, D1_EverySizeIsLivedInToTheLastByte) {
  if (!SmallMemory(page_size).is_there()) GTEST_SKIP() << "mounting is not permitted";
  const SharedNote<Notes> notes;
  int killed_by_bus = 0;
  for (const std::uint64_t pages : sizes()) {
    const SmallMemory memory(pages * page_size);
    const std::uint64_t created = notes->created;
    const int first = in_child([&] { Inhabitant(memory, pages, *notes).create(); });
    int second = 0;
    if (first == 0 && notes->created > created) {
      second = in_child([&] { Inhabitant(memory, pages, *notes).take_over(); });
    }
    killed_by_bus += (first == -SIGBUS ? 1 : 0) + (second == -SIGBUS ? 1 : 0);
    ASSERT_EQ(first, 0) << pages << " pages, seed " << seed();
    ASSERT_EQ(second, 0) << pages << " pages, seed " << seed();
  }
  std::printf(
      "full memory: %zu sizes (%llu too small for a dict), %llu operations, %llu refusals, %llu overwritten "
      "where nothing was left, SIGBUS %d\n",
      sizes().size(), static_cast<unsigned long long>(sizes().size() - notes->created),
      static_cast<unsigned long long>(notes->operations), static_cast<unsigned long long>(notes->refusals),
      static_cast<unsigned long long>(notes->overwritten), killed_by_bus);
}

}  // namespace
}  // namespace ultradict::test
