// SPDX-License-Identifier: Apache-2.0
// Memory: what a load may see besides the last store. Every store to a word that threads share is kept with what its
// writer had made known by it; a load takes any store that its thread may not know to be overwritten. That is the
// memory of C++ (release, acquire, relaxed, fences) but for two things that no processor here does to such code: the
// stores of one word have the order in which they were done, and no load sees a store that comes later.
//
// The words themselves always hold the last store, for who owns the lock reads them without asking.
#pragma once

#include <atomic>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "interleavings/choices.h"

namespace ultradict::test {

using Word = std::uint64_t;

class Memory {
 public:
  void begin_run(std::size_t thread_count);

  // Which value this load meets; way 0 is the last one.
  Word load(std::size_t thread, const Word& word, std::memory_order order, Choices& choices);
  // Before the word is changed, and after.
  void expect_store(const Word& word) { (void)location(word); }
  void store(std::size_t thread, const Word& word, Word value, std::memory_order order);
  // Of a read-modify-write: it meets the last store and is the next.
  void swap(std::size_t thread, const Word& word, Word value);
  void fence(std::size_t thread, std::memory_order order);

 private:
  // Of each location, the number of the newest store that is known; locations behind the end: 0.
  using View = std::vector<std::uint32_t>;
  struct Store {
    Word value;
    View made_known;
  };
  struct Location {
    std::uint32_t number;
    std::vector<Store> stores;  // the first is what was there when the run began
  };
  struct Thread {
    View known;
    View to_acquire;  // what relaxed loads met: known after an acquire fence
    View released;    // what was known at the last release fence
  };

  Location& location(const Word& word);
  void meet(Thread& thread, const Location& from, std::uint32_t number, bool acquires);
  static void join(View& into, const View& from);
  static std::uint32_t& at(View& view, std::uint32_t location);

  std::unordered_map<const Word*, Location> locations_;
  std::vector<Thread> threads_;
};

}  // namespace ultradict::test
