// SPDX-License-Identifier: Apache-2.0
// Threads read, one replaces and unmaps what they look at: none is cut off, and what nobody looks at goes.
#include "os/reader_slots.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/life.h"
#include "support/child.h"
#include "support/content.h"
#include "support/mappings.h"
#include "support/refused_calls.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

using os::ReaderSlots;

int this_thing;
int another;

class Read {
 public:
  explicit Read(const void* what) : slot_(ReaderSlots::mine()), outer_(slot_->begin(what)) {}
  ~Read() { slot_->end(outer_); }
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;

 private:
  ReaderSlots::Slot* slot_;
  const void* outer_;
};

// Runs `look` while another thread is within `read`.
template <typename Begin, typename Look>
void while_another(const Begin& read, const Look& look) {
  std::barrier step(2);
  std::thread reader([&] {
    read([&] {
      step.arrive_and_wait();
      step.arrive_and_wait();
    });
  });
  step.arrive_and_wait();
  look();
  step.arrive_and_wait();
  reader.join();
}

ReaderSlots::Moment oldest_read_of(const void* what) {
  EXPECT_TRUE(ReaderSlots::fence());
  return ReaderSlots::oldest_read(what);
}

TEST(ReaderSlots, AReadIsSeenUntilItEnds) {
  const ReaderSlots::Moment before = ReaderSlots::next_moment();
  while_another(
      [](const auto& meanwhile) {
        const Read read(&this_thing);
        meanwhile();
      },
      [&] {
        EXPECT_GT(oldest_read_of(&this_thing), before);
        EXPECT_LE(oldest_read_of(&this_thing), ReaderSlots::next_moment());
        EXPECT_EQ(oldest_read_of(&another), ReaderSlots::never);
      });
  EXPECT_EQ(oldest_read_of(&this_thing), ReaderSlots::never);
}

TEST(ReaderSlots, AReadWithinAnotherIsOfBothAndAsOldAsTheOuter) {
  const Read outer(&this_thing);
  const ReaderSlots::Moment between = ReaderSlots::next_moment();
  {
    const Read inner(&another);
    EXPECT_LE(oldest_read_of(&this_thing), between);
    EXPECT_LE(oldest_read_of(&another), between);
  }
  { const Read same(&this_thing); }
  EXPECT_LE(oldest_read_of(&this_thing), between);
  EXPECT_EQ(oldest_read_of(&another), ReaderSlots::never);
}

TEST(ReaderSlots, AThreadThatEndsLeavesItsSlot) {
  for (std::size_t i = 0; i < 2 * ReaderSlots::count; ++i) {
    std::thread([] { EXPECT_NE(ReaderSlots::mine(), nullptr); }).join();
  }
}

// A destructor that runs later than the one that leaves the slot reads as well.
struct ReadsAtEnd {
  bool* has_slot;
  ~ReadsAtEnd() { *has_slot = ReaderSlots::mine() != nullptr; }
};

TEST(ReaderSlots, AThreadThatIsEndingHasNone) {
  bool has_slot = true;
  std::thread([&] {
    static thread_local const ReadsAtEnd reads{&has_slot};
    EXPECT_EQ(reads.has_slot, &has_slot);
    EXPECT_NE(ReaderSlots::mine(), nullptr);
  }).join();
  EXPECT_FALSE(has_slot);
}

TEST(ReaderSlots, MoreThreadsThanSlotsReadToo) {
  Scratch scratch;
  Dict dict;
  ASSERT_TRUE(Dict::open("crowd", scratch.options(), &dict));
  ASSERT_TRUE(dict.put("k", "v"));
  constexpr std::size_t threads_count = ReaderSlots::count + 20;
  std::barrier all_have_asked(static_cast<std::ptrdiff_t>(threads_count));
  std::atomic<std::size_t> without_slot = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < threads_count; ++i) {
    threads.emplace_back([&] {
      if (!ReaderSlots::mine()) ++without_slot;
      std::string value;
      EXPECT_TRUE(dict.get("k", &value));
      EXPECT_EQ(value, "v");
      all_have_asked.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(without_slot, 20U);
}

TEST(ReaderSlots, AChildOfForkHasNoOtherReaders) {
  if (forks_are_slow()) GTEST_SKIP() << "no fork with threads here";
  Scratch scratch;
  Dict dict;
  ASSERT_TRUE(Dict::open("forked", scratch.options(), &dict));
  while_another(
      [](const auto& meanwhile) {
        const Read read(&this_thing);
        meanwhile();
      },
      [] {
        EXPECT_EQ(in_child([] {
                    require(ReaderSlots::fence());
                    require(ReaderSlots::oldest_read(&this_thing) == ReaderSlots::never);
                    const Read read(&this_thing);
                    require(ReaderSlots::oldest_read(&this_thing) != ReaderSlots::never);
                  }),
                  0);
      });
}

// As in a sandbox that was closed later. Whoever cannot know who reads unmaps nothing.
TEST(ReaderSlots, WithoutTheFenceNothingIsKnown) {
  if (forks_are_slow()) GTEST_SKIP() << "says nothing about races";
  const int status = in_child([] {
    require(ReaderSlots::mine() != nullptr);
    require(ReaderSlots::fence());
    if (!refuse_membarrier(EPERM)) ::_exit(77);
    require(!ReaderSlots::fence());
  });
  if (status == 77) GTEST_SKIP() << "calls cannot be refused here";
  EXPECT_EQ(status, 0);
}

TEST(ReaderSlots, AKernelWithoutTheFenceHasNoSlots) {
  if (forks_are_slow()) GTEST_SKIP() << "says nothing about races";
  const Scratch scratch;
  // exec: no process that has asked before.
  const int status = in_child([&] {
    if (!refuse_membarrier(ENOSYS)) ::_exit(77);
    require(::setenv("ULTRADICT_DIR", scratch.path().c_str(), 1) == 0);
    become_test("ReaderSlots.DISABLED_OnAnOldKernel");
  });
  if (status == 77) GTEST_SKIP() << "calls cannot be refused here";
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(std::filesystem::exists(scratch.path() + "/was here"));
}

// What a clear replaces stays mapped as long as this thread reads, and no longer.
void expect_held_back_by_a_read(const std::string& path, const Options& options) {
  Dict dict;
  ASSERT_TRUE(Dict::open("held", options, &dict));
  std::shared_ptr<Store> store;
  bool created = false;
  ASSERT_FALSE(open_dict("held", options, &store, &created));
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(dict.put("k" + std::to_string(i), std::string(100, 'v')));
  EXPECT_EQ(mapped_deleted_size(path), 0U);
  {
    const ReadGuard reading(store->regions);
    ASSERT_TRUE(dict.clear());
    EXPECT_GT(mapped_deleted_size(path), 1U << 20);
  }
  std::string value;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(dict.get("k1", &value).code(), Code::not_found);
  EXPECT_EQ(mapped_deleted_size(path), 0U);
  ASSERT_TRUE(dict.unlink());
}

TEST(ReaderSlots, WhatAReadMayLookAtStaysMapped) {
  const Scratch scratch;
  expect_held_back_by_a_read(scratch.path(), scratch.options());
}

TEST(ReaderSlots, DISABLED_OnAnOldKernel) {
  ASSERT_EQ(ReaderSlots::mine(), nullptr);
  const std::string directory = std::getenv("ULTRADICT_DIR");
  expect_held_back_by_a_read(directory, Options());
  std::ofstream(directory + "/was here");
}

// Reads that overlap without end hold nothing back for ever.
TEST(ReaderSlots, AReadThatBeganLaterHoldsNothingBack) {
  std::barrier step(2);
  std::thread first([&] {
    const Read read(&this_thing);
    step.arrive_and_wait();
    step.arrive_and_wait();
  });
  step.arrive_and_wait();
  const ReaderSlots::Moment retired_at = ReaderSlots::next_moment();
  EXPECT_LE(oldest_read_of(&this_thing), retired_at);
  const Read second(&this_thing);
  step.arrive_and_wait();
  first.join();
  EXPECT_GT(oldest_read_of(&this_thing), retired_at);
}

// What is looked at is replaced again and again, and ended as soon as nobody should look at it any more.
TEST(ReaderSlots, NobodyIsCutOff) {
  struct alignas(64) Thing {
    std::atomic<bool> is_there = false;
  };
  constexpr int looks = 500;  // for longer than a store may be on its way
  // Lines that both write: until they have arrived, the store that begins a read waits behind them, and its loads do
  // not.
  std::array<Thing, 32> wanted_by_both;
  const auto want = [&] {
    for (Thing& line : wanted_by_both) line.is_there.store(true, std::memory_order_relaxed);
  };
  const int replacements = is_sanitized() ? 5'000 : 20'000;
  std::array<Thing, 2> things;
  things[0].is_there = true;
  std::atomic<const Thing*> current = &things[0];
  std::atomic<bool> is_over = false;
  std::atomic<int> cut_off = 0;
  std::thread reader([&] {
    while (!is_over.load(std::memory_order_relaxed)) {
      want();
      const Read read(&this_thing);
      const Thing* const thing = current.load(std::memory_order_acquire);
      for (int i = 0; i < looks; ++i) {
        if (!thing->is_there.load(std::memory_order_relaxed)) ++cut_off;
      }
    }
  });
  Random random(1);
  for (int i = 1; i <= replacements && cut_off == 0; ++i) {
    Thing& next = things[i % 2];
    Thing& replaced = things[(i + 1) % 2];
    next.is_there = true;
    // At any moment of a read, not only when the one before has just ended.
    for (std::uint64_t turns = random.below(1000); turns > 0; --turns) is_over.load(std::memory_order_relaxed);
    want();
    current.store(&next);
    const ReaderSlots::Moment retired_at = ReaderSlots::next_moment();
    ASSERT_TRUE(ReaderSlots::fence());
    while (ReaderSlots::oldest_read(&this_thing) <= retired_at) std::this_thread::yield();
    replaced.is_there.store(false, std::memory_order_relaxed);
  }
  is_over = true;
  reader.join();
  EXPECT_EQ(cut_off, 0);
}

}  // namespace
}  // namespace ultradict::test
