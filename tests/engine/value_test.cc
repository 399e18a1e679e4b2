// SPDX-License-Identifier: Apache-2.0
// Value itself: what converts to it and from it, and when two are equal. The bytes are the business of codec_*_test.cc.
#include "ultradict/value.h"

#include <gtest/gtest.h>

namespace ultradict {
namespace {

TEST(ValueTest, AnyIntegerTypeIsAnInteger) {
  EXPECT_EQ(Value(5), Value(std::int64_t{5}));
  EXPECT_EQ(Value(5U), Value(std::int64_t{5}));
  EXPECT_EQ(Value(std::uint8_t{5}), Value(std::int64_t{5}));
  EXPECT_EQ(Value(INT64_MAX).as<std::uint64_t>(), std::uint64_t{INT64_MAX});
}

TEST(ValueTest, AnUnsignedBeyondInt64IsABigInteger) {
  const Value value(UINT64_MAX);
  ASSERT_NE(value.if_is<BigInteger>(), nullptr);
  EXPECT_EQ(value.if_is<BigInteger>()->bytes, std::string(8, '\xff') + '\0');
}

enum Colour { red, green };

TEST(ValueTest, WhatWouldBecomeAnotherValueIsNone) {
  static_assert(std::is_constructible_v<Value, float> && std::is_constructible_v<Value, double>);
  static_assert(!std::is_constructible_v<Value, Colour>, "it is no 1.0");
  static_assert(!std::is_constructible_v<Value, long double>, "a double is shorter");
  static_assert(!std::is_constructible_v<Value, std::nullptr_t>, "None{} is meant, not text from nowhere");
  static_assert(!std::is_constructible_v<Value, char>, "a letter or a number?");
  EXPECT_EQ(Value(0.5F), Value(0.5));
}

TEST(ValueTest, ABoolIsNoInteger) {
  EXPECT_NE(Value(true), Value(1));
  EXPECT_EQ(Value(true).as<int>(), std::nullopt);
  EXPECT_EQ(Value(true).as<bool>(), true);
}

TEST(ValueTest, ALiteralIsText) {
  EXPECT_EQ(Value("a").as<std::string>(), "a");
  EXPECT_NE(Value("a"), Value(ByteString{"a"}));
  EXPECT_NE(Value(ByteString{"a"}), Value(ByteArray{"a"}));
}

TEST(ValueTest, AnIntegerThatDoesNotFitIsNothing) {
  EXPECT_EQ(Value(300).as<std::uint8_t>(), std::nullopt);
  EXPECT_EQ(Value(-1).as<std::uint64_t>(), std::nullopt);
  EXPECT_EQ(Value(255).as<std::uint8_t>(), std::uint8_t{255});
}

TEST(ValueTest, AnIntegerBeyondInt64IsOneToo) {
  EXPECT_EQ(Value(UINT64_MAX).as<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(Value(std::uint64_t{1} << 63).as<std::uint64_t>(), std::uint64_t{1} << 63);
  EXPECT_EQ(Value(UINT64_MAX).as<std::int64_t>(), std::nullopt);
  EXPECT_EQ(Value(std::uint64_t{1} << 63).as<double>(), 0x1p63);
  EXPECT_EQ(Value(UINT64_MAX).as<double>(), 0x1p64);
  EXPECT_EQ(Value(UINT64_MAX - 1024).as<double>(), 0x1p64 - 2048);  // in the middle: to the even one
  EXPECT_EQ(Value(UINT64_MAX - 1023).as<double>(), 0x1p64);
  const std::string zeros(20, '\0');
  EXPECT_EQ(Value(BigInteger{zeros + "\x01"}).as<double>(), 0x1p160);
  EXPECT_EQ(Value(BigInteger{zeros + "\xff"}).as<double>(), -0x1p160);
  EXPECT_EQ(Value(BigInteger{zeros + "\x01"}).as<std::uint64_t>(), std::nullopt);
  EXPECT_EQ(Value(BigInteger{std::string(8, '\0') + "\x01"}).as<std::uint64_t>(), std::nullopt);  // 2**64
  EXPECT_EQ(Value(BigInteger{}).as<double>(), 0.0);
  EXPECT_EQ(Value(BigInteger{"\x01" + zeros + "\x81"}).as<double>(), -0x1.fcp174);
  EXPECT_EQ(Value(BigInteger{std::string(200, '\x7f')}).as<double>(), std::nullopt);
}

TEST(ValueTest, AnIntegerIsADoubleToo) {
  EXPECT_EQ(Value(3).as<double>(), 3.0);
  EXPECT_EQ(Value(3.5).as<double>(), 3.5);
  EXPECT_EQ(Value(3.0).as<int>(), std::nullopt);
}

TEST(ValueTest, MembersOfASetHaveNoOrder) {
  EXPECT_EQ(Value(FrozenSet{{1, 2}}), Value(FrozenSet{{2, 1}}));
  EXPECT_NE(Value(FrozenSet{{1, 2}}), Value(FrozenSet{{1, 3}}));
  EXPECT_NE(Value(Tuple{{1, 2}}), Value(Tuple{{2, 1}}));
}

TEST(ValueTest, ItemsOfAMappingHaveAnOrder) {
  const Value one(Mapping{{{"a", 1}, {"b", 2}}});
  const Value other(Mapping{{{"b", 2}, {"a", 1}}});
  EXPECT_EQ(one, one);
  EXPECT_NE(one, other);
}

}  // namespace
}  // namespace ultradict
