// SPDX-License-Identifier: Apache-2.0
// The one shim through which shared memory is read and written: words with a stated order, and bytes as relaxed words.
//
// Every store to a region goes through here, so that a test build can record them and cut the run after any one; and
// every load that meets a writer, so that another can run threads in every order.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#ifdef ULTRADICT_RECORD_STORES
#include "base/store_recorder.h"
#endif
#ifdef ULTRADICT_INTERLEAVE
#include "base/interleaving.h"
#endif

namespace ultradict::shared {

using Word = std::uint64_t;
static_assert(std::atomic<Word>::is_always_lock_free && sizeof(std::atomic<Word>) == sizeof(Word));

inline std::atomic_ref<Word> at(const Word& word) { return std::atomic_ref<Word>(const_cast<Word&>(word)); }

inline void stored([[maybe_unused]] const void* address, [[maybe_unused]] std::size_t size) {
#ifdef ULTRADICT_RECORD_STORES
  record_store(address, size);
#endif
}

// All that is ever done to shared words and between them.
#ifdef ULTRADICT_INTERLEAVE
using interleaving::change;
using interleaving::change_if;
using interleaving::fence;
using interleaving::read;
using interleaving::write;
#else
inline Word read(const Word& word, std::memory_order order) { return at(word).load(order); }
inline void write(Word& word, Word value, std::memory_order order) {
  at(word).store(value, order);
  stored(&word, sizeof word);
}
inline bool change_if(Word& word, Word& expected, Word desired) {
  const bool changed =
      at(word).compare_exchange_strong(expected, desired, std::memory_order_acq_rel, std::memory_order_acquire);
  if (changed) stored(&word, sizeof word);
  return changed;
}
inline Word change(Word& word, Word desired) {
  const Word before = at(word).exchange(desired, std::memory_order_acq_rel);
  stored(&word, sizeof word);
  return before;
}
inline void fence(std::memory_order order) { std::atomic_thread_fence(order); }
#endif

inline Word load(const Word& word) { return read(word, std::memory_order_acquire); }
inline Word load_relaxed(const Word& word) { return read(word, std::memory_order_relaxed); }
inline void store(Word& word, Word value) { write(word, value, std::memory_order_release); }
inline void store_relaxed(Word& word, Word value) { write(word, value, std::memory_order_relaxed); }
inline bool compare_and_swap(Word& word, Word& expected, Word desired) { return change_if(word, expected, desired); }
inline Word exchange(Word& word, Word desired) { return change(word, desired); }
inline void acquire_fence() { fence(std::memory_order_acquire); }
inline void release_fence() { fence(std::memory_order_release); }

// Copies whole words that a writer may be changing meanwhile; the caller finds out afterwards whether one did. `size`
// is rounded up to words: the destination has room for that.
inline void copy_out(void* destination, const void* source, std::size_t size) {
  auto* to = static_cast<char*>(destination);
  const auto* from = static_cast<const Word*>(source);
  for (std::size_t done = 0; done < size; done += sizeof(Word)) {
    const Word word = load_relaxed(from[done / sizeof(Word)]);
    std::memcpy(to + done, &word, sizeof word);
  }
}

// Writes whole words to a word-aligned place.
inline void copy_in(void* destination, const void* source, std::size_t size) {
  auto* to = static_cast<Word*>(destination);
  const auto* from = static_cast<const char*>(source);
  for (std::size_t done = 0; done < size; done += sizeof(Word)) {
    Word word;
    std::memcpy(&word, from + done, sizeof word);
    store_relaxed(to[done / sizeof(Word)], word);
  }
}

}  // namespace ultradict::shared
