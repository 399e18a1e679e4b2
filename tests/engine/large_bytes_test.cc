// SPDX-License-Identifier: Apache-2.0
// Large values as Python has them: what is found in them in place, what is refused, and what is put in parts. Damage is
// put as a value: bytes are bytes to the engine.
#include "ultradict/large_bytes.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <vector>

#include "support/content.h"
#include "support/scratch.h"
#include "ultradict/wire.h"

namespace ultradict::test {
namespace {

constexpr std::size_t size_of_large = 100'000;

std::string large(char letter, std::size_t size = size_of_large) { return std::string(size, letter); }

std::string varint(std::uint64_t number) {
  char bytes[varint_size_max];
  return {bytes, static_cast<std::size_t>(write_varint(bytes, number) - bytes)};
}

std::string tagged(Tag tag, const std::string& rest) { return static_cast<char>(tag) + rest; }

// As Python writes an object with these buffers.
std::string with_buffers(const std::string& pickle, const std::vector<std::string>& buffers) {
  std::string value = tagged(Tag::pickle_with_buffers, varint(buffers.size()) + varint(pickle.size()));
  for (const std::string& buffer : buffers) value += varint(buffer.size());
  value += pickle;
  for (const std::string& buffer : buffers) {
    value.resize((value.size() + buffer_alignment - 1) / buffer_alignment * buffer_alignment);
    value += buffer;
  }
  return value;
}

// Puts a value that is encoded already.
void put_encoded(Dict& dict, const Value& key, const std::string& encoded) {
  std::string canonical, face;
  Sighting written;
  ASSERT_TRUE(encode_key(key, &canonical, &face));
  ASSERT_TRUE(dict.put(Key{canonical, face}, encoded, &written));
}

class LargeBytes : public testing::Test {
 protected:
  // What map() answers; nothing is mapped unless that is ok, also where something was.
  Status mapping(const Value& key) {
    Status status = map(dict_, key, &mapped_);
    EXPECT_EQ(mapped_.buffers().empty(), !status);
    if (!status) {
      EXPECT_EQ(mapped_.bytes(), "");
    }
    return status;
  }
  Status mapping_of_encoded(const std::string& encoded) {
    put_encoded(dict_, "k", encoded);
    return mapping("k");
  }
  void expect_refused(const Value& key, Code code, const std::string& part_of_message) {
    const Status status = mapping(key);
    EXPECT_EQ(status.code(), code);
    EXPECT_NE(status.message().find(part_of_message), std::string::npos) << status.message();
  }

  Scratch scratch_;
  Dict dict_ = scratch_.open();
  MappedBytes mapped_;
};

TEST_F(LargeBytes, OfBytesBytearrayAndTextAreTheirContent) {
  const std::string text = large('t'), wide = "\xc3\xa4" + text;
  const std::pair<Value, std::string> samples[] = {
      {ByteString{large('b')}, large('b')}, {ByteArray{large('a')}, large('a')}, {text, text}, {wide, wide}};
  for (const auto& [value, content] : samples) {
    ASSERT_TRUE(put(dict_, "k", value));
    ASSERT_TRUE(mapping("k"));
    EXPECT_EQ(mapped_.buffers().size(), 1U);
    EXPECT_EQ(mapped_.bytes(), content);
    EXPECT_TRUE(mapped_.is_intact());
  }
}

TEST_F(LargeBytes, OfAnObjectAreItsBuffersInOrder) {
  for (const auto& buffers : std::vector<std::vector<std::string>>{
           {large('a')}, {large('a'), "", "short", large('b', 64)}, {"", large('c')}}) {
    put_encoded(dict_, "k", with_buffers("a pickle", buffers));
    ASSERT_TRUE(mapping("k"));
    EXPECT_EQ(std::vector<std::string>(mapped_.buffers().begin(), mapped_.buffers().end()), buffers);
    EXPECT_EQ(mapped_.bytes(), buffers.front());
    EXPECT_TRUE(mapped_.is_intact());
    for (const Bytes buffer : mapped_.buffers()) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % buffer_alignment, 0U);
    }
  }
}

TEST_F(LargeBytes, AreFoundByAnyKeyOfPython) {
  for (const Value& key : {Value("frame"), Value(7), Value(true), Value(2.5), Value(Tuple{{"camera", 1}})}) {
    const std::string content = large('x');
    ASSERT_TRUE(put_bytes(dict_, key, {content}));
    ASSERT_TRUE(mapping(key));
    EXPECT_EQ(mapped_.bytes(), content);
  }
  EXPECT_TRUE(mapping(7.0));  // the same key as 7
  EXPECT_EQ(mapping(Value(List{})).code(), Code::invalid_argument);
  EXPECT_EQ(put_bytes(dict_, Value(List{}), {"v"}).code(), Code::invalid_argument);
}

TEST_F(LargeBytes, StayAsTheyAreWhateverHappensToKeyAndDict) {
  const std::string content = large('a');
  ASSERT_TRUE(put_bytes(dict_, "k", {content}));
  ASSERT_TRUE(mapping("k"));
  MappedBytes kept = std::move(mapped_);
  ASSERT_TRUE(put_bytes(dict_, "k", {large('b')}));
  ASSERT_TRUE(erase(dict_, "k"));
  ASSERT_TRUE(dict_.unlink());
  ASSERT_TRUE(dict_.close());
  EXPECT_EQ(kept.bytes(), content);
  EXPECT_TRUE(kept.is_intact());
}

TEST_F(LargeBytes, SmallMissingAndNestedOnesAreRefusedWithTheWayOut) {
  ASSERT_TRUE(put(dict_, "small", ByteString{"123456789"}));
  Dict child;
  std::string canonical, face;
  ASSERT_TRUE(encode_key("nested", &canonical, &face));
  ASSERT_TRUE(dict_.put_new_child(canonical, &child));
  ASSERT_TRUE(put_bytes(dict_, "large", {large('a')}));
  ASSERT_TRUE(mapping("large"));
  expect_refused("small", Code::invalid_argument, "get() it (11, at least 32769)");
  expect_refused("missing", Code::not_found, "");
  expect_refused("nested", Code::is_dict, "open_child");
  ASSERT_TRUE(dict_.close());
  expect_refused("large", Code::closed, "closed");
}

TEST_F(LargeBytes, WhatHasNoBufferIsRefusedByItsKind) {
  const std::vector<Value> items(50'000, 1);
  const std::pair<Value, const char*> samples[] = {
      {Tuple{items}, "is a tuple"},
      {List{items}, "is a list"},
      {Mapping{{{"key", List{items}}}}, "is a dict"},
      {BigInteger{large('\1')}, "is an integer"},
      {Foreign{Tag::pickle, large('p')}, "is pickled without buffers"},
      {Foreign{Tag::foreign_bytes, large('f')}, "is encoded by the dict's serializer"},
      {Foreign{Tag::foreign_text, large('f')}, "is encoded by the dict's serializer"}};
  for (const auto& [value, kind] : samples) {
    ASSERT_TRUE(put(dict_, "k", value));
    expect_refused("k", Code::invalid_argument, kind);
    expect_refused("k", Code::invalid_argument, "dict 'dict': a value of 100");
    expect_refused("k", Code::invalid_argument, "get() it");
  }
}

TEST_F(LargeBytes, E11_ATagOfNoLargeValueIsDamage) {
  const std::set<Tag> refused = {Tag::big_int, Tag::tuple,         Tag::list,        Tag::dict,
                                 Tag::pickle,  Tag::foreign_bytes, Tag::foreign_text};
  for (int number = 0; number < 256; ++number) {
    const auto tag = static_cast<Tag>(number);
    const Code expected = refused.contains(tag) ? Code::invalid_argument : Code::damaged;
    EXPECT_EQ(mapping_of_encoded(tagged(tag, large('\0'))).code(), expected) << number;
  }
  expect_refused("k", Code::damaged, "100001 bytes is damaged");
}

TEST_F(LargeBytes, E11_EverySizeMustBeThatOfItsBytes) {
  const std::string content = large('x');
  for (const Tag tag : {Tag::bytes, Tag::byte_array, Tag::ascii, Tag::text}) {
    for (const std::uint64_t size : {std::uint64_t{0}, content.size() - 1, content.size() + 1, UINT64_MAX}) {
      EXPECT_EQ(mapping_of_encoded(tagged(tag, varint(size) + content)).code(), Code::damaged) << size;
    }
    EXPECT_EQ(mapping_of_encoded(tagged(tag, large('\xff'))).code(), Code::damaged);
    EXPECT_TRUE(mapping_of_encoded(tagged(tag, varint(content.size()) + content)));
  }
}

TEST_F(LargeBytes, E11_EveryCountAndSizeOfBuffersMustFit) {
  const std::string zeros = large('\0');
  for (const std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{99'999}, UINT64_MAX / 2, UINT64_MAX - 63, UINT64_MAX}) {
    const std::string huge = varint(number);
    for (const std::string& rest : {huge + zeros, varint(1) + huge + zeros, varint(1) + varint(1) + huge + zeros,
                                    varint(2) + varint(1) + varint(99'000) + huge + zeros}) {
      EXPECT_EQ(mapping_of_encoded(tagged(Tag::pickle_with_buffers, rest)).code(), Code::damaged) << number;
    }
  }
  for (const std::string& begin : {varint(1), varint(1) + varint(1)}) {  // then a number that does not end
    EXPECT_EQ(mapping_of_encoded(tagged(Tag::pickle_with_buffers, begin + large('\xff'))).code(), Code::damaged);
  }
  EXPECT_EQ(mapping_of_encoded(with_buffers(zeros, {})).code(), Code::damaged);
}

TEST_F(LargeBytes, E11_EveryTruncationIsDamage) {
  const std::string value = with_buffers("a pickle", {large('a', 40'000), large('b', 40'000)});
  for (std::size_t size = value.size() - 1; size > blob_size_min; size -= 97) {
    EXPECT_EQ(mapping_of_encoded(value.substr(0, size)).code(), Code::damaged) << size;
  }
  EXPECT_EQ(mapping_of_encoded(value + '\0').code(), Code::damaged);
}

TEST_F(LargeBytes, E11_EveryChangedByteBeforeTheBuffersIsDamageOrLiesInTheValue) {
  const std::string value = with_buffers("a pickle", {large('a', 20'000), large('b', 20'000)});
  for (std::size_t at = 0; at < 2 * buffer_alignment; ++at) {
    for (const int change : {1, 2, 4, 8, 16, 32, 64, 0x80, 0xff}) {
      std::string changed = value;
      changed[at] = static_cast<char>(changed[at] ^ change);
      const Status status = mapping_of_encoded(changed);
      EXPECT_TRUE(status || status.code() == Code::damaged || (at == 0 && status.code() == Code::invalid_argument));
      std::size_t size = 0;
      for (const Bytes buffer : mapped_.buffers()) size += std::string(buffer).size();  // all can be read
      EXPECT_LE(size, value.size());
    }
  }
}

TEST_F(LargeBytes, ThatChangeUnderTheMappingAreNotIntact) {
  ASSERT_TRUE(put_bytes(dict_, "k", {large('a')}));
  ASSERT_TRUE(mapping("k"));
  for (const auto& file : std::filesystem::directory_iterator(directory_of(dict_))) {
    if (!file.path().filename().string().starts_with("blob-")) continue;
    std::string bytes = read_file(file.path());
    bytes.back() = 'b';
    write_file(file.path(), bytes);
  }
  EXPECT_FALSE(mapped_.is_intact());
}

TEST_F(LargeBytes, ArePutInPartsOfAnySize) {
  const std::string head = "head", content = large('c');
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, blob_size_min - 9, blob_size_min - 8,
                                 blob_size_min - 7, blob_size_min, size_of_large}) {
    const Bytes pixels = Bytes(content).substr(0, size);
    ASSERT_TRUE(put_bytes(dict_, "k", {head, "", pixels}));
    const std::string whole = head + std::string(pixels);
    Value value;
    ASSERT_TRUE(get(dict_, "k", &value));
    EXPECT_EQ(value, Value(ByteString{whole}));
    const bool is_large = 4 + whole.size() > blob_size_min;
    EXPECT_EQ(static_cast<bool>(mapping("k")), is_large) << size;
    if (is_large) {
      EXPECT_EQ(mapped_.bytes(), whole);
    }
  }
  ASSERT_TRUE(put_bytes(dict_, "k", std::span<const Bytes>()));
  Value value;
  ASSERT_TRUE(get(dict_, "k", &value));
  EXPECT_EQ(value, Value(ByteString{}));
}

TEST_F(LargeBytes, GoFromOneMappingIntoAnotherValue) {
  ASSERT_TRUE(put_bytes(dict_, "k", {large('a', 50'000), large('b', 50'000)}));
  ASSERT_TRUE(mapping("k"));
  const Bytes rows[] = {mapped_.bytes().substr(50'000), mapped_.bytes().substr(0, 50'000)};
  ASSERT_TRUE(put_bytes(dict_, "k", rows));
  ASSERT_TRUE(mapping("k"));
  EXPECT_EQ(mapped_.bytes(), large('b', 50'000) + large('a', 50'000));
}

TEST_F(LargeBytes, ThatCannotBePutLeaveNothing) {
  Options options = scratch_.options();
  options.full_dump_size = 200'000;
  Dict bounded = scratch_.open("bounded", options);
  ASSERT_TRUE(put_bytes(bounded, "k", {large('a')}));
  EXPECT_EQ(put_bytes(bounded, "other", {large('b')}).code(), Code::content_full);
  EXPECT_EQ(orphans_of(bounded), "");
  EXPECT_EQ(bounded.count(), 1U);
  ASSERT_TRUE(bounded.close());
  EXPECT_EQ(put_bytes(bounded, "k", {large('b')}).code(), Code::closed);
  EXPECT_EQ(put_bytes(bounded, "k", {"small"}).code(), Code::closed);
}

}  // namespace
}  // namespace ultradict::test
