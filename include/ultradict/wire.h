// SPDX-License-Identifier: Apache-2.0
// The primitives of the typed encoding (encoding.h): varints, zigzag, and a reader for bytes that nobody vouches for.
// For who writes an encoder or decoder of another language's objects; C++ programs use value.h.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "ultradict/bytes.h"
#include "ultradict/encoding.h"

namespace ultradict {

static_assert(std::endian::native == std::endian::little, "numbers are stored as this machine has them");

inline constexpr std::size_t varint_size_max = 10;  // bytes
inline constexpr std::size_t float64_size = 8;      // bytes
inline constexpr std::size_t unique_size = 16;      // bytes

// Small numbers of either sign become small unsigned ones: 0, -1, 1, -2 -> 0, 1, 2, 3.
constexpr std::uint64_t zigzag(std::int64_t number) noexcept {
  return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t word) noexcept {
  return static_cast<std::int64_t>((word >> 1) ^ (0 - (word & 1)));
}

// Writers need room for what they write and return the end of it.
inline char* write_tag(char* out, Tag tag) noexcept {
  *out = static_cast<char>(tag);
  return out + 1;
}
inline char* write_varint(char* out, std::uint64_t word) noexcept {
  while (word >= 0x80) {
    *out++ = static_cast<char>(word | 0x80);
    word >>= 7;
  }
  *out++ = static_cast<char>(word);
  return out;
}
inline char* write_float64(char* out, double number) noexcept {
  std::memcpy(out, &number, float64_size);
  return out + float64_size;
}

inline char* write_int64(char* out, std::int64_t number) noexcept {
  return write_varint(write_tag(out, Tag::int64), zigzag(number));
}

inline constexpr std::size_t int64_size_max = 1 + varint_size_max;  // bytes, tag included
inline constexpr std::size_t float_key_size_max = 160;              // bytes, tag included

// The canonical form of a float that is not NaN: that of the integer it equals, if there is one.
char* write_float_key(char* out, double number) noexcept;
// How many of the bytes of a two's complement number its shortest form keeps.
std::size_t shortest_integer_size(Bytes bytes) noexcept;
// Whether what follows Tag::big_int is as it must be: outside int64, in shortest form.
bool is_big_integer(Bytes bytes) noexcept;

// What Tag::ascii promises.
bool is_ascii(Bytes bytes) noexcept;
// What Tag::text promises: UTF-8 without overlong forms, up to U+10FFFF; surrogates are allowed.
bool is_text(Bytes bytes) noexcept;

// Reads an encoding front to back. Every answer is checked against what is left; false means that the bytes are
// damaged.
//
// Counts: a container promises values, and each takes a byte at least. The reader remembers how many are still promised
// and refuses a count that the rest cannot hold, so that who allocates by it never allocates more elements than there
// are bytes.
class WireReader {
 public:
  explicit WireReader(Bytes bytes) noexcept : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - next_); }
  bool at_end() const noexcept { return next_ == end_; }

  // The tag that begins the next value.
  bool tag(Tag* tag) noexcept {
    if (at_end()) return false;
    if (promised_ != 0) --promised_;
    *tag = static_cast<Tag>(*next_++);
    return true;
  }
  bool varint(std::uint64_t* word) noexcept {
    if (!at_end() && (*next_ & 0x80) == 0) {
      *word = static_cast<std::uint8_t>(*next_++);
      return true;
    }
    return long_varint(word);
  }
  bool int64(std::int64_t* number) noexcept {
    std::uint64_t word = 0;
    if (!varint(&word)) return false;
    *number = unzigzag(word);
    return true;
  }
  bool float64(double* number) noexcept {
    Bytes bytes;
    if (!take(float64_size, &bytes)) return false;
    std::memcpy(number, bytes.data(), float64_size);
    return true;
  }
  bool take(std::size_t size, Bytes* bytes) noexcept {
    if (left() < size) return false;
    *bytes = Bytes(next_, size);
    next_ += size;
    return true;
  }
  // A size and that many bytes.
  bool sized(Bytes* bytes) noexcept {
    std::uint64_t size = 0;
    return varint(&size) && take(size, bytes);
  }
  Bytes rest() noexcept {
    Bytes bytes(next_, left());
    next_ = end_;
    return bytes;
  }
  // How many elements, of `values_each` values, follow.
  bool count(std::size_t values_each, std::size_t* count) noexcept {
    std::uint64_t word = 0;
    if (!varint(&word) || promised_ > left() || word > (left() - promised_) / values_each) return false;
    promised_ += word * values_each;
    *count = word;
    return true;
  }

 private:
  bool long_varint(std::uint64_t* word) noexcept {
    std::uint64_t sum = 0;
    for (unsigned shift = 0; !at_end(); shift += 7) {  // up to 63: there it ends
      const auto byte = static_cast<std::uint8_t>(*next_++);
      if (shift == 63 && byte > 1) return false;  // more than 64 bits
      sum |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        *word = sum;
        return true;
      }
    }
    return false;
  }

  const char* next_;
  const char* end_;
  std::size_t promised_ = 0;  // values that containers begun so far still owe
};

// What follows Tag::pickle_with_buffers; false if it is damaged. The ranges lie in `value`, which is the whole value,
// tag included.
struct PickleParts {
  Bytes pickle;
  std::vector<Bytes> buffers;
};
bool split_pickle(Bytes value, PickleParts* parts);

}  // namespace ultradict
