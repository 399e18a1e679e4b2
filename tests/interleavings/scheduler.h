// SPDX-License-Identifier: Apache-2.0
// Scheduler: runs a few threads one at a time, and decides at every access to memory that they share whose turn it is.
// Time is a number that moves when all sleep. The engine reaches it through the hooks of base/interleaving.h and a
// futex of its own (hooks.cc).
//
// A turn changes only before an access that may meet another thread's: elsewhere it would make no difference. Which
// accesses those are is learnt; exploring begins anew whenever there were more of them than known.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "interleavings/choices.h"
#include "interleavings/memory.h"

namespace ultradict::test {

class Scheduler {
 public:
  using Body = std::function<void()>;

  // Addresses in [begin, begin + size) stay the same from run to run; everywhere else every access may meet another.
  Scheduler(std::vector<Body> bodies, const void* begin, std::size_t size);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Whether loads may meet older stores. Otherwise all is sequentially consistent.
  void set_weak(bool weak) { is_weak_ = weak; }
  // Called when no thread can go on before time passes.
  void when_all_sleep(Body look) { look_ = std::move(look); }
  // One run of all bodies to their ends.
  void run(Choices& choices);
  // Takes over what the runs so far taught; false if that was nothing new.
  bool learn();

  // Counts accesses and more: moments of a run in their order.
  std::int64_t moment() { return ++moment_; }

  // --- of the thread whose turn it is ---
  static Scheduler* current();
  static std::size_t self();
  Word read(const Word& word, std::memory_order order);
  void write(Word& word, Word value, std::memory_order order);
  bool change_if(Word& word, Word& expected, Word desired);
  Word change(Word& word, Word desired);
  void fence(std::memory_order order);
  void wait_on(const Word& word, std::uint32_t expected, std::int64_t duration);
  bool wake_one(const Word& word);  // whether somebody slept
  void pause(std::int64_t duration);
  std::int64_t now() { return now_ += reading_clock_takes; }
  // Of a mutex: until it is free; and that it is.
  void wait_for(const bool& is_held);
  void note_free(const bool& is_held);

 private:
  static constexpr std::int64_t reading_clock_takes = 100;  // ns
  static constexpr int same_loads_kept = 2;
  static constexpr std::int64_t moments_max = 2'000'000;  // of one run: more is a thread that never ends

  enum class State { ready, sleeps, waits, ended };
  struct Thread {
    Body body;
    State state = State::ended;
    const void* on = nullptr;  // what it sleeps or waits for
    std::int64_t wakes_at = 0;
    const Word* loaded_last = nullptr;
    int loaded_times = 0;
    std::binary_semaphore turn{0};
    std::thread thread;
  };
  struct Touched {
    unsigned readers = 0;
    unsigned writers = 0;
  };

  void serve(std::size_t number);
  void reach(const Word& word, bool writes);
  bool is_shared(const Word& word) const;
  bool is_repeated(const Word& word, bool writes);
  void point();
  void leave_turn();
  void hand_over(std::size_t to);
  std::vector<std::size_t> ready() const;
  std::size_t first_sleeper() const;  // who wakes first by time; count if nobody
  void let_time_pass(std::size_t sleeper);

  std::vector<std::unique_ptr<Thread>> threads_;
  const char* begin_;
  std::size_t size_;
  Body look_;
  bool is_weak_ = false;
  std::atomic<bool> ends_ = false;
  std::binary_semaphore all_ended_{0};
  Choices* choices_ = nullptr;
  Memory memory_;
  std::int64_t now_ = 0;
  std::int64_t moment_ = 0;
  std::unordered_map<const Word*, Touched> touched_;
  std::unordered_set<const Word*> shared_;
};

}  // namespace ultradict::test
