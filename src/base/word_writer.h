// SPDX-License-Identifier: Apache-2.0
// WordWriter: bytes become a run of words, some of which may be shared.
#pragma once

#include <cstring>

#include "base/shared_atomic.h"
#include "ultradict/bytes.h"

namespace ultradict {

using shared::Word;

// 1 to 7 bytes as a word, put together in a register: a word written to memory in pieces could only be read back
// when all of them have arrived there.
[[gnu::always_inline]] inline Word small_word(const char* from, std::size_t size) {
  const auto byte = [&](std::size_t i) { return Word{static_cast<unsigned char>(from[i])} << (8 * i); };
  if (size >= 4) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, from, sizeof low);
    std::memcpy(&high, from + size - sizeof high, sizeof high);
    return low | Word{high} << (8 * (size - sizeof high));
  }
  return byte(0) | byte(size / 2) | byte(size - 1);
}

// In line: operator== of std::string_view is a call, and so is memcmp.
[[gnu::always_inline]] inline bool is_same(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  for (; a.size() >= sizeof(Word); a.remove_prefix(sizeof(Word)), b.remove_prefix(sizeof(Word))) {
    Word one;
    Word other;
    std::memcpy(&one, a.data(), sizeof one);
    std::memcpy(&other, b.data(), sizeof other);
    if (one != other) return false;
  }
  return a.empty() || small_word(a.data(), a.size()) == small_word(b.data(), b.size());
}

inline Word* word_at(char* place) { return reinterpret_cast<Word*>(place); }

namespace words {

// Where a WordWriter stores.
struct Own {
  Word* to;
  void store(Word word) { *to++ = word; }
};
struct Shared {
  Word* to;
  void store(Word word) { shared::store_relaxed(*to++, word); }
};
struct Both {
  Own own;
  Shared shared;
  void store(Word word) {
    own.store(word);
    shared.store(word);
  }
};

}  // namespace words

// Appends bytes to a run of words.
template <typename Memory>
class WordWriter {
 public:
  explicit WordWriter(Memory to) : to_(to) {}

  [[gnu::always_inline]] void append(Word word) {
    to_.store(carried_ | word << (8 * count_));
    carried_ = count_ == 0 ? 0 : word >> (64 - 8 * count_);
  }
  [[gnu::always_inline]] void append(Bytes bytes) {
    const char* from = bytes.data();
    std::size_t size = bytes.size();
    for (; size >= sizeof(Word); size -= sizeof(Word), from += sizeof(Word)) {
      Word word;
      std::memcpy(&word, from, sizeof word);
      append(word);
    }
    if (size > 0) append_rest(small_word(from, size), size);
  }
  // The first `size` bytes of a run of whole shared words, where nothing was appended but words.
  [[gnu::always_inline]] void append_words(const Word* from, std::size_t size) {
    for (; size >= sizeof(Word); size -= sizeof(Word)) to_.store(shared::load_relaxed(*from++));
    if (size > 0) append_rest(shared::load_relaxed(*from) & ((Word{1} << (8 * size)) - 1), size);
  }
  void finish() {
    if (count_ > 0) to_.store(carried_);
  }

 private:
  [[gnu::always_inline]] void append_rest(Word word, std::size_t size) {
    carried_ |= word << (8 * count_);
    if (count_ + size < sizeof(Word)) {
      count_ += size;
      return;
    }
    to_.store(carried_);
    carried_ = word >> (64 - 8 * count_);  // count_ is not 0: fewer than 8 bytes filled a word
    count_ = count_ + size - sizeof(Word);
  }

  Memory to_;
  Word carried_ = 0;       // bytes that do not fill a word yet
  std::size_t count_ = 0;  // of them
};

}  // namespace ultradict
