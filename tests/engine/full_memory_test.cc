// SPDX-License-Identifier: Apache-2.0
// Random operations where memory is short, and others take and give back what there is: each is done or refused without
// a trace, the log can always be cleaned, and after deletions there is room.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "os/file.h"
#include "support/child.h"
#include "support/model.h"
#include "support/scratch.h"
#include "support/small_memory.h"

namespace ultradict::test {
namespace {

class Squeezed {
 public:
  Squeezed(const SmallMemory& memory, std::uint64_t seed) : memory_(memory), random_(seed) {}

  void run(int operations) {
    Options options = memory_.options();
    constexpr std::uint64_t buffer_sizes[] = {0, 10'000, 150'000};
    options.buffer_size = buffer_sizes[random_.below(3)];
    const Status status = Dict::open("dict", options, &dict_);
    require(status || status.code() == Code::memory_full);
    if (!status) return;
    for (operation_ = 0; operation_ < operations; ++operation_) {
      do_something();
      expect_reserve();
      if (operation_ % 61 == 0) compare();
      if (operation_ % 17 == 0) exchange_one();
    }
    memory_.empty();
    compare();
    require(dict_.clean());
    compare();
  }

 private:
  std::string key() { return "key" + std::to_string(random_.below(300)); }
  std::string value() {
    constexpr std::uint64_t sizes[] = {10, 100, 100, 700, 700, 4000, 30'000, 60'000};
    return std::string(random_.below(sizes[random_.below(8)]), static_cast<char>('a' + random_.below(26)));
  }

  void do_something() {
    switch (random_.below(40)) {
      case 0:
        return memory_.fill_up(random_.below(3) == 0 ? ~std::uint64_t{0} : random_.below(40));
      case 1:
        return memory_.empty();
      case 2:
        if (random_.below(8) != 0) return;
        require(dict_.clear());
        return model_.clear();
      case 3:
        return require(dict_.clean());
      case 4:
      case 5:
        return put_many();
      case 6:
      case 7:
      case 8:
      case 9:
      case 10:
        return erase(key());
      default:
        return put(key(), value());
    }
  }

  void put(const std::string& key, const std::string& value) {
    const Status status = dict_.put(key, value);
    if (status) return model_.put(key, value);
    require_full(status);
  }

  void put_many() {
    Content content;
    for (std::uint64_t i = random_.below(60); i > 0; --i) content.emplace_back(key(), value());
    std::vector<Item> items;
    for (const auto& [key, value] : content) items.push_back({Key{key}, value});
    const Status status = dict_.put_all(items);
    if (!status) return require_full(status);
    for (const auto& [key, value] : content) model_.put(key, value);
  }

  void erase(const std::string& key) {
    const bool is_there = model_.erase(key);
    const Status status = dict_.erase(key);
    if (status.code() != (is_there ? Code::ok : Code::not_found)) fail(status.message());
  }

  void exchange_one() {
    const std::string gone = key();
    const std::string* found = model_.find(gone);
    if (!found || found->size() > blob_size_min) return;
    const std::string value = *found;
    erase(gone);
    std::size_t erased = 1;
    Status status = dict_.put(gone, value);
    for (; !status && erased < model_.count(); ++erased) {
      erase(model_.content()[random_.below(model_.count())].first);
      status = dict_.put(gone, value);
    }
    if (!status) fail("half of the keys are gone, yet there is no room: " + status.message());
    model_.put(gone, value);
  }

  void require_full(const Status& status) const {
    if (status.code() != Code::memory_full) fail(status.message());
  }

  // What cleaning lives on: the free segments take the live bytes of any, one of them or all with what the tail has
  // left; or they will do so when the one that is being emptied is free, and there is room for the rest of it.
  void expect_reserve() const {
    const ControlView control(dict_);
    const State& state = control->state;
    const Word tail = Ref{state.tail}.segment();
    const Word written = (Ref{state.tail}.position() - control->segments[tail].first) * unit_size;
    Word spare = 0;
    Word all = control->segments[tail].size - written;
    Word fullest = 0;
    for (Word number = 0; number < segments_max; ++number) {
      const SegmentDescriptor& segment = control->segments[number];
      const bool is_free = segment.filled == 0 && number != tail;
      if (is_free) spare = std::max(spare, segment.size);
      if (is_free) all += segment.size;
      if (!is_free) fullest = std::max(fullest, segment.live);
    }
    if (std::max(spare, all) >= fullest) return;
    if (state.victim == 0) fail("there is no reserve");
    const SegmentDescriptor& victim = control->segments[state.victim - 1];
    const bool comes = victim.live <= all && all - victim.live + victim.size >= fullest;
    if (!comes) fail("there will be no reserve");
  }

  void compare() const {
    if (content_of(dict_) != model_.content()) fail("content");
    if (const std::string unsound = unsoundness_of(dict_); !unsound.empty()) fail(unsound);
    if (const std::string orphans = orphans_of(dict_); !orphans.empty()) fail("orphans: " + orphans);
  }

  void fail(const std::string& what) const {
    std::fprintf(stderr, "operation %d: %s\n", operation_, what.c_str());
    require(false);
  }

  const SmallMemory& memory_;
  Random random_;
  Dict dict_;
  Model model_;
  int operation_ = 0;
};

TEST(FullMemory, D1_D2_D3_RandomOperationsAreDoneOrRefused) {
  if (!SmallMemory(64 * 1024).is_there()) GTEST_SKIP() << "mounting is not permitted";
  const std::uint64_t seeds = is_sanitized() ? 6 : 20;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const SmallMemory memory((20 + Random(seed).below(700)) * page_size);
    EXPECT_EQ(in_child([&] { Squeezed(memory, seed).run(1000); }), 0) << "seed " << seed;
  }
}

// As where a number that was damaged is asked for.
TEST(FullMemory, D1_ASizeThatGoesRoundIsRefused) {
  const Scratch scratch;
  os::File file;
  ASSERT_FALSE(os::create_file((scratch.path() + "/file").c_str(), 0600, &file));
  EXPECT_EQ(os::allocate(file, page_size, ~os::Size{0} - 100).code, Code::memory_full);
  os::Size size = 1;
  EXPECT_FALSE(os::file_size(file, &size));
  EXPECT_EQ(size, 0U);
}

}  // namespace
}  // namespace ultradict::test
