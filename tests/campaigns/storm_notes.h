// SPDX-License-Identifier: Apache-2.0
// What the writers of a kill storm note outside the dict, in memory that survives them: what each of them intended and
// what was acknowledged, what its keys must hold therefore, and how long it waited. Words that only one process at a
// time writes are still atomic: another one, or the next of that place, reads them.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "layout.h"

namespace ultradict::test::storm {

inline constexpr int writers_max = 8;
inline constexpr int slots = 9;  // keys of a writer: eight plain ones, and one whose value is a nested dict
inline constexpr int nested_slot = 8;
inline constexpr int takeovers_max = 64;  // of one life

using Number = std::uint64_t;              // of an operation of one writer
using Values = std::array<Number, slots>;  // which operation wrote what a key holds; 0: it is not there

// The lock was taken from a dead owner: `began` waiting, `had` the lock and had repaired what was left.
struct Takeover {
  pid_t dead = 0;
  std::int64_t began_ns = 0;
  std::int64_t had_ns = 0;
};

struct WriterNote {
  std::atomic<Number> begun{0};
  std::atomic<Number> done{0};      // all up to here were acknowledged, or decided by who came after
  std::atomic<Number> modelled{0};  // `expected` is that of all up to here
  std::array<std::atomic<Number>, slots> expected{};
  // A clear of the whole dict: what was written before `cleared_below` is gone, what `maybe_cleared` wrote may be.
  std::atomic<Number> cleared_below{0};
  std::atomic<Number> maybe_cleared{0};

  std::atomic<std::uint64_t> acknowledged{0};  // operations that returned
  std::atomic<Word> participant{0};            // as the lock names its owner; of the present process
  std::atomic<std::uint64_t> waits{0};
  std::atomic<std::int64_t> wait_ns_max{0};           // for the lock, while it could have run
  std::atomic<std::int64_t> wait_by_clock_ns_max{0};  // the same by the clock on the wall
  std::atomic<int> takeover_count{0};
  std::array<Takeover, takeovers_max> takeovers{};
};

// All but `acknowledged` is written by who holds the lock.
struct ClearNote {
  std::atomic<std::uint64_t> last{0};     // number of the last clear that was begun
  std::atomic<std::uint64_t> begun{0};    // the one under way, if it is not the settled one
  std::atomic<std::uint64_t> settled{0};  // the last one that is known to have happened
  std::atomic<std::uint64_t> acknowledged{0};
  std::array<std::atomic<Number>, writers_max> limits{};
  std::array<std::atomic<Number>, writers_max> ambiguous{};
};

struct Notes {
  std::array<WriterNote, writers_max> writers{};
  ClearNote clear;
  // The counter that all increment, by who holds the lock. Two at once would be found out.
  std::atomic<std::uint64_t> count_begun{0};
  std::atomic<std::uint64_t> count_done{0};
  std::atomic<std::uint64_t> increments{0};
};

}  // namespace ultradict::test::storm
