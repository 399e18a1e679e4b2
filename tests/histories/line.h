// SPDX-License-Identifier: Apache-2.0
// Line: the operations of one thread, one after the other, in memory that survives it: each is noted before it is
// called, its answer and the time as soon as it returned. A killed thread's line is gone on with by another one.
//
// Thread and process safety: one writer at a time; anybody may read `begun` and, of notes before it, all but the answer
// of the last one.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>

namespace ultradict::test {

enum class Kind : std::uint8_t { get, contains, put, erase, pop, setdefault, increment, clear };
inline constexpr const char* kind_names[] = {"get", "contains",   "put",       "erase",
                                             "pop", "setdefault", "increment", "clear"};

// Answers. contains and erase: whether the key was there; put and clear: 0; the others: a value.
inline constexpr std::int64_t absent = -1;
inline constexpr std::int64_t wrong = -2;  // an error, or bytes that nobody wrote: no history has a place for it

inline std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

struct Note {
  Kind kind;
  std::uint8_t key;
  std::int64_t argument;
  std::int64_t called;
  std::int64_t answer;
  bool settled;                        // it never returned, and by the time below it either happened or never will
  std::atomic<std::int64_t> returned;  // 0: not yet
};

inline constexpr std::uint32_t line_length_max = 1000;

struct Line {
  std::uint32_t length;  // how many operations it is to have
  std::atomic<std::uint32_t> begun;
  Note notes[line_length_max];

  bool is_full() const { return begun.load(std::memory_order_acquire) == length && !is_in_call(); }
  bool is_in_call() const {
    const std::uint32_t count = begun.load(std::memory_order_acquire);
    return count != 0 && notes[count - 1].returned.load(std::memory_order_acquire) == 0;
  }

  Note& begin(Kind kind, std::uint8_t key, std::int64_t argument) {
    const std::uint32_t count = begun.load(std::memory_order_relaxed);
    Note& note = notes[count];
    note.kind = kind;
    note.key = key;
    note.argument = argument;
    note.called = now();
    begun.store(count + 1, std::memory_order_release);
    return note;
  }
  static void end(Note& note, std::int64_t answer) {
    note.answer = answer;
    note.returned.store(now(), std::memory_order_release);
  }
  // The thread is dead, and whoever came after it has put the dict in order.
  void settle() {
    if (!is_in_call()) return;
    Note& note = notes[begun.load() - 1];
    note.settled = true;
    note.returned.store(now());
  }
};

}  // namespace ultradict::test
