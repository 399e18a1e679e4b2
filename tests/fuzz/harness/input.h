// SPDX-License-Identifier: Apache-2.0
// Input: the bytes of one execution, taken front to back as numbers. At their end it gives zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ultradict::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : next_(data), end_(data + size) {}

  bool at_end() const { return next_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - next_); }
  const std::uint8_t* rest() const { return next_; }

  template <typename T>
  T number() {
    T number{};
    const std::size_t size = left() < sizeof number ? left() : sizeof number;
    std::memcpy(&number, next_, size);
    next_ += size;
    return number;
  }
  std::uint8_t byte() { return number<std::uint8_t>(); }
  std::uint64_t below(std::uint64_t bound) { return bound <= 256 ? byte() % bound : number<std::uint16_t>() % bound; }

 private:
  const std::uint8_t* next_;
  const std::uint8_t* end_;
};

// Ends the process, so that the fuzzer keeps the input.
inline void expect(bool holds, const char* what, int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "line %d: %s\n", line, what);
  std::abort();
}

}  // namespace ultradict::fuzz
