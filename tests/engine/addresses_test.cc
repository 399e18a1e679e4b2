// SPDX-License-Identifier: Apache-2.0
// No address is shared: each process has the files of a dict wherever its kernel put them.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>

#include <array>
#include <atomic>

#include "support/child.h"
#include "support/content.h"
#include "support/mappings.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

constexpr std::size_t places_max = 64;
constexpr std::uint64_t key_count = 200;

struct Notes {
  std::array<std::atomic<std::uint64_t>, places_max> taken;  // where the first process has its mappings
  std::atomic<std::uint64_t> written;                        // by the other one, acknowledged
};

void note_places(const Scratch& scratch, Notes& notes) {
  const std::vector<std::uint64_t> places = mapped_places(scratch.path());
  for (std::size_t i = 0; i < places.size() && i < places_max; ++i) notes.taken[i] = places[i];
}

// In another process, before it opens the dict.
void avoid_places(const Notes& notes) {
  for (const auto& place : notes.taken) {
    if (place == 0) continue;
    void* wanted = reinterpret_cast<void*>(place.load());
    (void)::mmap(wanted, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  }
}

bool shares_a_place(const Scratch& scratch, const Notes& notes) {
  for (const std::uint64_t place : mapped_places(scratch.path())) {
    for (const auto& other : notes.taken) {
      if (other == place) return true;
    }
  }
  return false;
}

void overwrite_until_killed(Dict& dict, Notes& notes) {
  for (std::uint64_t i = 0;; ++i) {
    const std::string name = key(i % key_count);
    require(dict.put(name, marked_value(name, i, i % 400)));
    notes.written = i;
  }
}

TEST(Addresses, G6_WhoMapsItElsewhereReadsWritesAndRecovers) {
  const Scratch scratch;
  const int rounds = forks_are_slow() ? 5 : 60;
  Random random(8);
  for (int round = 0; round < rounds; ++round) {
    SharedNote<Notes> notes;
    Gate opened;
    Child other([&] {
      opened.wait();
      avoid_places(*notes);
      Dict own = scratch.open("dict", Create::never);
      require(!shares_a_place(scratch, *notes));
      for (std::uint64_t i = 0; i < key_count; ++i) require(is_marked(key(i), value_of(own, key(i))));
      overwrite_until_killed(own, *notes);
    });
    Dict dict = scratch.open();
    for (std::uint64_t i = 0; i < key_count; ++i) {
      ASSERT_TRUE(dict.put(key(i), marked_value(key(i), i, i == 0 ? 40'000 : 200)));
    }
    note_places(scratch, *notes);
    opened.open();
    for (const std::uint64_t enough = key_count + random.below(500); notes->written < enough;) ::sched_yield();
    EXPECT_EQ(other.kill_and_wait(), -SIGKILL);
    ASSERT_TRUE(dict.put("after", "v"));
    std::uint64_t number = 0;
    const std::uint64_t last = notes->written;
    ASSERT_TRUE(is_marked(key(last % key_count), value_of(dict, key(last % key_count)), &number));
    EXPECT_EQ(number, last) << "round " << round;
    expect_sound(dict);
  }
}

}  // namespace
}  // namespace ultradict::test
