// SPDX-License-Identifier: Apache-2.0
// Keys in their canonical form: the same bytes exactly for keys that Python calls equal.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ultradict/value.h"

namespace ultradict {
namespace {

struct Encoded {
  std::string canonical;
  std::string face;
};

Encoded encoded(const Value& key) {
  Encoded bytes;
  EXPECT_TRUE(encode_key(key, &bytes.canonical, &bytes.face));
  return bytes;
}

Code refused(const Value& key) {
  Encoded bytes;
  return encode_key(key, &bytes.canonical, &bytes.face).code();
}

void expect_same_key(const Value& left, const Value& right) {
  EXPECT_EQ(encoded(left).canonical, encoded(right).canonical);
}

BigInteger power_of_two(std::size_t exponent) {
  std::string bytes(exponent / 8 + 1, '\0');
  bytes.back() = static_cast<char>(1 << (exponent % 8));
  if (exponent % 8 == 7) bytes.push_back('\0');
  return BigInteger{bytes};
}

BigInteger minus_power_of_two(std::size_t exponent) {
  std::string bytes(exponent / 8 + 1, '\0');
  bytes.back() = static_cast<char>(0xff << (exponent % 8));
  return BigInteger{bytes};
}

TEST(CodecKeyTest, EqualNumbersAreOneKey) {
  expect_same_key(1, 1.0);
  expect_same_key(1, true);
  expect_same_key(0, false);
  expect_same_key(0, -0.0);
  expect_same_key(INT64_MIN, -9223372036854775808.0);
  expect_same_key(Tuple{{1, Tuple{{true}}}}, Tuple{{1.0, Tuple{{1}}}});
  expect_same_key(FrozenSet{{1, "a", 2.5}}, FrozenSet{{2.5, true, "a"}});
}

TEST(CodecKeyTest, AnIntegralFloatOfAnySizeIsItsInteger) {
  for (std::size_t exponent = 64; exponent < 1024; ++exponent) {
    const double power = std::ldexp(1.0, static_cast<int>(exponent));
    expect_same_key(power, power_of_two(exponent));
    expect_same_key(-power, minus_power_of_two(exponent));
  }
  expect_same_key(9223372036854775808.0, std::uint64_t{1} << 63);
  expect_same_key(18446744073709549568.0, std::uint64_t{18446744073709549568U});
}

TEST(CodecKeyTest, DifferentKeysHaveDifferentBytes) {
  const std::vector<Value> keys = {None{},
                                   0,
                                   1,
                                   -1,
                                   0.5,
                                   std::numeric_limits<double>::infinity(),
                                   -std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::max(),
                                   UINT64_MAX,
                                   "",
                                   "1",
                                   ByteString{"1"},
                                   ByteString{},
                                   Tuple{},
                                   Tuple{{1}},
                                   Tuple{{Tuple{{1}}}},
                                   Tuple{{"1"}},
                                   FrozenSet{},
                                   FrozenSet{{1}},
                                   FrozenSet{{FrozenSet{}}}};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_NE(encoded(keys[i]).canonical, encoded(keys[j]).canonical) << i << " and " << j;
    }
  }
}

TEST(CodecKeyTest, TheKeyComesBackAsInserted) {
  for (const Value& key : std::initializer_list<Value>{1, 1.0, true, 0.5, UINT64_MAX, 1e300, "a", ByteString{"a"},
                                                       None{}, Tuple{{1.0, true, Tuple{{0.5}}}},
                                                       FrozenSet{{true, "a", Tuple{{2.0}}}}, Tuple{{FrozenSet{{1}}}}}) {
    const Encoded bytes = encoded(key);
    Value back;
    ASSERT_TRUE(decode_key(bytes.canonical, bytes.face, &back));
    EXPECT_EQ(back, key);
  }
}

TEST(CodecKeyTest, AFaceIsThereOnlyWhenNeeded) {
  EXPECT_EQ(encoded(1).face, "");
  EXPECT_EQ(encoded(0.5).face, "");
  EXPECT_EQ(encoded(Tuple{{1, "a"}}).face, "");
  EXPECT_NE(encoded(1.0).face, "");
  EXPECT_NE(encoded(-0.0).face, "");
  EXPECT_NE(encoded(Tuple{{FrozenSet{{true}}}}).face, "");
}

TEST(CodecKeyTest, EqualMembersOfASetCountOnce) { expect_same_key(FrozenSet{{1, 1.0, true}}, FrozenSet{{1}}); }

TEST(CodecKeyTest, E11_WhatPythonCannotHashIsRefused) {
  EXPECT_EQ(refused(List{}), Code::invalid_argument);
  EXPECT_EQ(refused(ByteArray{}), Code::invalid_argument);
  EXPECT_EQ(refused(Mapping{}), Code::invalid_argument);
  EXPECT_EQ(refused(Tuple{{List{}}}), Code::invalid_argument);
  EXPECT_EQ(refused(std::nan("")), Code::invalid_argument);
  EXPECT_EQ(refused(Foreign{Tag::pickle, "p"}), Code::invalid_argument);
}

TEST(CodecKeyTest, AnExoticKeyArrivesUnopened) {
  Value key;
  const std::string canonical = "\x0e" + std::string(16, 'u');
  ASSERT_TRUE(decode_key(canonical, "\x0fpickle", &key));
  EXPECT_EQ(key, Value(Foreign{Tag::pickle, "pickle"}));
  ASSERT_TRUE(decode_key(canonical, "", &key));
  EXPECT_EQ(key, Value(Foreign{Tag::unique, std::string(16, 'u')}));
}

TEST(CodecKeyTest, AKeyThatOnlyPythonCanOpenIsThePlainOneItEquals) {
  Value key;
  ASSERT_TRUE(decode_key(encoded(Tuple{{1, "a"}}).canonical, "\x0fpickle", &key));
  EXPECT_EQ(key, Value(Tuple{{1, "a"}}));
}

TEST(CodecKeyTest, E11_DamagedKeysAreReported) {
  Value key;
  for (const std::string& bytes : {std::string(), std::string("\x0eshort"), std::string("\x0b\x00", 2),
                                   std::string("\x0c\x00", 2), std::string("\x10"), std::string("\x0d\x02\x01")}) {
    EXPECT_EQ(decode_key(bytes, "", &key).code(), Code::damaged);
  }
  EXPECT_EQ(decode_key("", "\x0fpickle", &key).code(), Code::damaged);
  for (const Value& no_key : {Value(ByteArray{"a"}), Value(List{{1}}), Value(Mapping{})}) {
    std::string bytes;
    ASSERT_TRUE(encode_value(no_key, &bytes));
    EXPECT_EQ(decode_key(bytes, "", &key).code(), Code::damaged);
  }
}

}  // namespace
}  // namespace ultradict
