// SPDX-License-Identifier: Apache-2.0
// Values through their encoding and back, and what the decoder makes of bytes that no encoder wrote.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ultradict/value.h"
#include "ultradict/wire.h"

namespace ultradict {
namespace {

std::string encoded(const Value& value) {
  std::string bytes;
  EXPECT_TRUE(encode_value(value, &bytes));
  return bytes;
}

Code decoded(Bytes bytes) {
  Value value;
  return decode_value(bytes, &value).code();
}

Value nested(int depth) {
  Value value = 1;
  for (int i = 0; i < depth; ++i) value = List{{value}};
  return value;
}

std::vector<Value> samples() {
  std::vector<Value> values = {None{},
                               true,
                               false,
                               0.5,
                               -0.0,
                               std::numeric_limits<double>::infinity(),
                               UINT64_MAX,
                               BigInteger{std::string(8, '\0') + "\xff"},
                               "",
                               "plain",
                               "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
                               "lone surrogate \xed\xa0\x80",
                               ByteString{std::string("\0\xff", 2)},
                               ByteArray{std::string("\0\xff", 2)},
                               Tuple{},
                               Tuple{{1, Tuple{{"two"}}}},
                               List{{None{}, List{}, 3.0}},
                               Mapping{{{"key", List{{1}}}, {Tuple{{1, 2}}, None{}}}},
                               Foreign{Tag::pickle, "opaque"},
                               Foreign{Tag::foreign_bytes, ""},
                               Foreign{Tag::foreign_text, "{}"},
                               nested(nesting_max)};
  for (int shift = 0; shift < 63; ++shift) {
    const std::int64_t power = std::int64_t{1} << shift;
    for (const std::int64_t number : {power - 1, power, -power, -power - 1}) values.emplace_back(number);
  }
  values.emplace_back(INT64_MAX);
  values.emplace_back(INT64_MIN);
  return values;
}

TEST(CodecValueTest, EveryKindComesBackAsItWas) {
  for (const Value& value : samples()) {
    Value back;
    ASSERT_TRUE(decode_value(encoded(value), &back));
    EXPECT_EQ(back, value);
  }
}

TEST(CodecValueTest, TheSignOfZeroAndNanSurvive) {
  Value back;
  ASSERT_TRUE(decode_value(encoded(-0.0), &back));
  EXPECT_TRUE(std::signbit(*back.as<double>()));
  ASSERT_TRUE(decode_value(encoded(std::nan("")), &back));
  EXPECT_TRUE(std::isnan(*back.as<double>()));
}

TEST(CodecValueTest, E11_EveryTruncationIsDamaged) {
  for (const Value& value : samples()) {
    if (value.if_is<Foreign>()) continue;  // takes whatever is left
    const std::string bytes = encoded(value);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      // A copy of exactly this size, so that a sanitizer sees a read beyond it.
      EXPECT_EQ(decoded(std::string(bytes, 0, size)), Code::damaged);
    }
  }
}

TEST(CodecValueTest, ATrailingByteIsDamaged) {
  for (const Value& value : samples()) {
    if (value.if_is<Foreign>()) continue;
    EXPECT_EQ(decoded(encoded(value) + '\x01'), Code::damaged);
  }
}

TEST(CodecValueTest, E11_EveryChangedByteIsSurvived) {
  for (const Value& value : samples()) {
    const std::string bytes = encoded(value);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const int change : {1, 2, 4, 8, 16, 0x80, 0xff}) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ change);
        const Code code = decoded(changed);
        EXPECT_TRUE(code == Code::ok || code == Code::damaged);
      }
    }
  }
}

TEST(CodecValueTest, AnUnknownTagIsDamaged) {
  EXPECT_EQ(decoded(std::string(1, '\0')), Code::damaged);
  for (int tag = static_cast<int>(Tag::byte_array) + 1; tag < 256; ++tag) {
    EXPECT_EQ(decoded(std::string(1, static_cast<char>(tag))), Code::damaged);
  }
}

TEST(CodecValueTest, E11_ADeclaredSizeNeedsItsBytes) {
  for (const Tag tag :
       {Tag::big_int, Tag::ascii, Tag::text, Tag::bytes, Tag::byte_array, Tag::tuple, Tag::list, Tag::dict}) {
    for (const std::uint64_t size : {std::uint64_t{2}, std::uint64_t{1} << 40, UINT64_MAX}) {
      char bytes[1 + varint_size_max];
      const char* end = write_varint(write_tag(bytes, tag), size);
      EXPECT_EQ(decoded(Bytes(bytes, static_cast<std::size_t>(end - bytes))), Code::damaged);
    }
  }
}

TEST(CodecValueTest, E11_NestedCountsCannotPromiseTheSameBytesTwice) {
  // Each of 32 lists claims as many items as there are bytes in all: 32 times the memory, were it believed.
  constexpr std::size_t size = 1 << 16;
  std::string bomb;
  for (int i = 0; i < 32; ++i) {
    char head[1 + varint_size_max];
    bomb.append(head, write_varint(write_tag(head, Tag::list), size - 256));
  }
  bomb.resize(size, static_cast<char>(Tag::none));
  EXPECT_EQ(decoded(bomb), Code::damaged);
}

TEST(CodecValueTest, E11_NestingIsBounded) {
  std::string bytes;
  EXPECT_EQ(encode_value(nested(nesting_max + 1), &bytes).code(), Code::invalid_argument);
  for (int i = 0; i < 100'000; ++i) bytes.append("\x0b\x01");
  EXPECT_EQ(decoded(bytes + '\x01'), Code::damaged);
}

TEST(CodecValueTest, AVarintOfMoreThan64BitsIsDamaged) {
  EXPECT_EQ(decoded("\x04" + std::string(9, '\xff') + "\x01"), Code::ok);
  EXPECT_EQ(decoded("\x04" + std::string(9, '\xff') + "\x02"), Code::damaged);
  EXPECT_EQ(decoded("\x04" + std::string(10, '\xff') + "\x01"), Code::damaged);
}

TEST(CodecValueTest, ABigIntegerHasOneForm) {
  std::string bytes;
  for (const std::string& wrong :
       {std::string(), std::string("\x01"), std::string(9, '\0'), std::string(9, '\xff'), std::string(8, '\x7f')}) {
    EXPECT_EQ(encode_value(BigInteger{wrong}, &bytes).code(), Code::invalid_argument);
    EXPECT_EQ(decoded("\x06" + std::string(1, static_cast<char>(wrong.size())) + wrong), Code::damaged);
  }
}

TEST(CodecValueTest, E11_TextMustBeUtf8) {
  std::string bytes;
  for (const char* wrong : {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xe2\x82", "\xf0\x8f\xbf\xbf",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xc3(", "\xe2(\xa1"}) {
    EXPECT_EQ(encode_value(wrong, &bytes).code(), Code::invalid_argument);
    EXPECT_EQ(decoded("\x08" + std::string(1, static_cast<char>(std::strlen(wrong))) + wrong), Code::damaged);
  }
  EXPECT_EQ(decoded("\x07\x01\xc3"), Code::damaged) << "ascii is below 0x80";
}

TEST(CodecValueTest, KeysOfAMappingMustBeHashable) {
  std::string bytes;
  EXPECT_EQ(encode_value(Mapping{{{List{}, 1}}}, &bytes).code(), Code::invalid_argument);
  EXPECT_EQ(encode_value(Mapping{{{Tuple{{Mapping{}}}, 1}}}, &bytes).code(), Code::invalid_argument);
  EXPECT_TRUE(encode_value(Mapping{{{1, List{}}, {2, Mapping{}}}}, &bytes));
}

TEST(CodecValueTest, WhatBelongsToKeysIsNoValue) {
  std::string bytes;
  EXPECT_EQ(encode_value(FrozenSet{}, &bytes).code(), Code::invalid_argument);
  EXPECT_EQ(encode_value(Foreign{Tag::unique, std::string(16, 'u')}, &bytes).code(), Code::invalid_argument);
  EXPECT_EQ(encode_value(List{{Foreign{Tag::pickle, "p"}}}, &bytes).code(), Code::invalid_argument);
  EXPECT_EQ(decoded(std::string("\x0d\x00", 2)), Code::damaged);
  EXPECT_EQ(decoded("\x0e" + std::string(16, 'u')), Code::damaged);
  EXPECT_EQ(decoded("\x0b\x01\x0fp"), Code::damaged);
}

}  // namespace
}  // namespace ultradict
