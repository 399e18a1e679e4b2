// SPDX-License-Identifier: Apache-2.0
// The typed encoding: how None, bool, int, float, str, bytes, bytearray, tuple, list, dict and frozenset become bytes.
// The tags are shared by every process and every language that opens a dict: DO NOT CHANGE THEIR VALUES.
//
// Numbers are little-endian. A size or count is a varint (LEB128, 64 bit). What follows a tag:
//
//   none, no, yes        nothing
//   int64                zigzag varint, for -2^63 <= n < 2^63
//   big_int              size, two's complement bytes, shortest form
//   float64              8 bytes, IEEE 754
//   ascii                size, bytes < 0x80
//   text                 size, UTF-8; lone surrogates as three bytes each (what Python calls surrogatepass)
//   bytes, byte_array    size, bytes (byte_array: a bytearray; in values only)
//   tuple, list          count, that many values
//   dict                 count, that many (key value) pairs, in order
//   frozen_set           count, members in ascending order of their encoding (keys only)
//   unique               16 bytes: the identity of an exotic key; its face is a pickle (keys only)
//   pickle               the rest is a pickle
//   foreign_bytes        the rest is what the dict's serializer made of the value, as bytes
//   foreign_text         likewise, as str, in the form of `text` without tag and size
//   pickle_with_buffers  count, size of the pickle, that many sizes of buffers, the pickle, the buffers; each of these
//                        begins at a multiple of buffer_alignment from the tag on, with zeros before it
//
// Keys have a canonical form: equal keys, equal bytes. There every number that equals an integer is int64 or big_int
// (True, 1 and 1.0 are one key), and `no`, `yes` do not occur.
#pragma once

#include <cstdint>

namespace ultradict {

enum class Tag : std::uint8_t {
  none = 1,
  no = 2,
  yes = 3,
  int64 = 4,
  big_int = 5,
  float64 = 6,
  ascii = 7,
  text = 8,
  bytes = 9,
  tuple = 10,
  list = 11,
  dict = 12,
  frozen_set = 13,
  unique = 14,
  pickle = 15,
  foreign_bytes = 16,
  foreign_text = 17,
  pickle_with_buffers = 18,
  byte_array = 19,
};

inline constexpr int buffer_alignment = 64;  // bytes

// How many containers may be around a value. Deeper values are pickled, deeper bytes are damaged.
inline constexpr int nesting_max = 64;

}  // namespace ultradict
