// SPDX-License-Identifier: Apache-2.0
// The first and the last of what is text, a number or a buffer.
#include <gtest/gtest.h>

#include <limits>

#include "support/child.h"
#include "ultradict/value.h"
#include "ultradict/wire.h"

namespace ultradict::test {
namespace {

bool is_stored_as_text(const std::string& text) {
  std::string bytes;
  if (!encode_value(Value(text), &bytes)) return false;
  Value back;
  return decode_value(bytes, &back) && back == Value(text);
}

TEST(Edges, OfUtf8) {
  for (const char* text :
       {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_stored_as_text(text)) << text;
  }
  for (const char* text :
       {"\xc1\xbf", "\xe0\x9f\xbf", "\xe1\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80"}) {
    EXPECT_FALSE(is_stored_as_text(text)) << text;
  }
}

TEST(Edges, OfABuffer) {
  Buffer buffer;
  ASSERT_NE(buffer.reserve(1), nullptr);
  EXPECT_GE(buffer.capacity(), 256U);
  if (is_sanitized()) GTEST_SKIP() << "AddressSanitizer ends a program that asks for so much";
  EXPECT_EQ(buffer.reserve(std::numeric_limits<std::size_t>::max() / 4), nullptr);
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_NE(buffer.reserve(1000), nullptr);
}

TEST(Edges, OfEncodingsOfOthers) {
  std::string bytes;
  for (const Tag tag : {Tag::pickle, Tag::foreign_bytes, Tag::foreign_text, Tag::pickle_with_buffers}) {
    Value back;
    ASSERT_TRUE(encode_value(Value(Foreign{tag, "abc"}), &bytes));
    ASSERT_TRUE(decode_value(bytes, &back));
    EXPECT_EQ(back, Value(Foreign{tag, "abc"}));
    EXPECT_FALSE(encode_key(Value(Foreign{Tag::foreign_text, "abc"}), &bytes, &bytes));
  }
  Value key;
  for (const Tag tag : {Tag::foreign_bytes, Tag::foreign_text}) {
    ASSERT_TRUE(encode_value(Value(Foreign{tag, "abc"}), &bytes));
    EXPECT_FALSE(decode_key(bytes, "", &key));
  }
}

TEST(Edges, OfWhichNestedDictItIs) {
  EXPECT_EQ((ChildId{1, 2}), (ChildId{1, 2}));
  EXPECT_NE((ChildId{1, 2}), (ChildId{1, 3}));
  EXPECT_NE((ChildId{1, 2}), (ChildId{2, 2}));
  EXPECT_EQ(Value(true).as<std::string>(), std::nullopt);
}

}  // namespace
}  // namespace ultradict::test
