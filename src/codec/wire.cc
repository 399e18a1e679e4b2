// SPDX-License-Identifier: Apache-2.0
// The parts of the wire format that are too long to be inline: integral floats as integers, what text may be, and where
// the buffers of a pickle lie.
#include "ultradict/wire.h"

#include <cmath>

namespace ultradict {

namespace {

constexpr double two_to_63 = 9223372036854775808.0;
constexpr int mantissa_bits = 53;

bool is_sign_extension(char byte, char next_lower) noexcept {
  const bool negative = (next_lower & 0x80) != 0;
  return static_cast<std::uint8_t>(byte) == (negative ? 0xff : 0x00);
}

// An integral number is mantissa * 2^shift: whole zero bytes, then the mantissa shifted by what remains.
std::size_t big_integer_bytes(double number, char* out) noexcept {
  int exponent = 0;
  const double fraction = std::frexp(number, &exponent);
  const auto mantissa = static_cast<std::int64_t>(std::ldexp(fraction, mantissa_bits));
  const auto shift = static_cast<std::size_t>(exponent - mantissa_bits);
  const std::int64_t top = mantissa * (std::int64_t{1} << (shift % 8));
  std::memset(out, 0, shift / 8);
  std::memcpy(out + shift / 8, &top, sizeof top);
  return shortest_integer_size(Bytes(out, shift / 8 + sizeof top));
}

// How many bytes the character at the front takes; 0 if it is none.
std::size_t character_size(const std::uint8_t* text, std::size_t left) noexcept {
  const auto continued = [&](std::size_t size) {
    if (left < size) return false;
    for (std::size_t i = 1; i < size; ++i) {
      if ((text[i] & 0xc0) != 0x80) return false;
    }
    return true;
  };
  const std::uint8_t first = text[0];
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return continued(2) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) return continued(3) && (first > 0xe0 || text[1] >= 0xa0) ? 3 : 0;
  if (first < 0xf0 || first > 0xf4 || !continued(4)) return 0;
  if (first == 0xf0) return text[1] >= 0x90 ? 4 : 0;
  return first < 0xf4 || text[1] < 0x90 ? 4 : 0;
}

}  // namespace

char* write_float_key(char* out, double number) noexcept {
  if (std::isinf(number) || number != std::trunc(number)) {
    return write_float64(write_tag(out, Tag::float64), number);
  }
  if (number >= -two_to_63 && number < two_to_63) return write_int64(out, static_cast<std::int64_t>(number));
  char bytes[float_key_size_max];
  const std::size_t size = big_integer_bytes(number, bytes);
  out = write_varint(write_tag(out, Tag::big_int), size);
  std::memcpy(out, bytes, size);
  return out + size;
}

std::size_t shortest_integer_size(Bytes bytes) noexcept {
  std::size_t size = bytes.size();
  while (size > 1 && is_sign_extension(bytes[size - 1], bytes[size - 2])) --size;
  return size;
}

bool is_big_integer(Bytes bytes) noexcept {
  return bytes.size() > sizeof(std::int64_t) && shortest_integer_size(bytes) == bytes.size();
}

bool is_ascii(Bytes bytes) noexcept {
  std::uint64_t seen = 0;
  std::size_t i = 0;
  for (; i + sizeof seen <= bytes.size(); i += sizeof seen) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    seen |= word;
  }
  for (; i < bytes.size(); ++i) seen |= static_cast<std::uint8_t>(bytes[i]);
  return (seen & 0x8080808080808080) == 0;
}

bool is_text(Bytes bytes) noexcept {
  const auto* text = reinterpret_cast<const std::uint8_t*>(bytes.data());
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = character_size(text + at, bytes.size() - at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

bool split_pickle(Bytes value, PickleParts* parts) {
  WireReader reader(value.substr(1));
  std::size_t count = 0;
  std::uint64_t pickle_size = 0;
  if (!reader.count(1, &count) || !reader.varint(&pickle_size)) return false;
  std::vector<std::uint64_t> sizes(count);
  for (std::uint64_t& size : sizes) {
    if (!reader.varint(&size)) return false;
  }
  if (!reader.take(pickle_size, &parts->pickle)) return false;
  for (const std::uint64_t size : sizes) {
    const std::size_t offset = value.size() - reader.left();
    Bytes padding, buffer;
    if (!reader.take((buffer_alignment - offset % buffer_alignment) % buffer_alignment, &padding)) return false;
    if (!reader.take(size, &buffer)) return false;
    parts->buffers.push_back(buffer);
  }
  return reader.at_end();
}

}  // namespace ultradict
