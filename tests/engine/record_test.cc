// SPDX-License-Identifier: Apache-2.0
#include "structures/record.h"

#include <gtest/gtest.h>

#include <vector>

namespace ultradict::test {
namespace {

constexpr Ref place = Ref::at(4711, 3);

RecordHeader header_for(Bytes key, Bytes face, Bytes value) {
  RecordHeader header{};
  header.ref = place.word;
  header.sequence = 4000;
  header.entry = 7;
  header.key_size = static_cast<std::uint32_t>(key.size());
  header.face_size = static_cast<std::uint32_t>(face.size());
  header.value_size = static_cast<std::uint16_t>(value.size());
  header.kind_and_flags = static_cast<std::uint16_t>(RecordKind::value);
  return header;
}

struct Written {
  std::vector<Word> words;
  RecordHeader header;
  char* bytes() { return reinterpret_cast<char*>(words.data()); }
};

Written write(Bytes key, Bytes face, Bytes value) {
  Written written;
  const RecordHeader header = header_for(key, face, value);
  written.words.assign(record_size(header) / sizeof(Word) + 1, 0x5555'5555'5555'5555ULL);
  write_record(written.bytes(), header, key, face, value);
  std::memcpy(&written.header, written.bytes(), sizeof written.header);
  return written;
}

TEST(Record, PartsOfEveryAlignmentAreReadBackAndNothingBehindIsTouched) {
  const std::string text = "abcdefghijklmnopqrstuvwxyz";
  for (std::size_t key_size = 0; key_size < 18; ++key_size) {
    for (std::size_t face_size = 0; face_size < 18; ++face_size) {
      for (std::size_t value_size : {0, 1, 3, 7, 8, 9, 16, 25}) {
        const Bytes key = Bytes(text).substr(0, key_size);
        const Bytes face = Bytes(text).substr(1, face_size);
        const Bytes value = Bytes(text).substr(0, value_size);
        Written written = write(key, face, value);
        const RecordView view{written.header, written.bytes()};
        ASSERT_EQ(view.key(), key);
        ASSERT_EQ(view.face(), face);
        ASSERT_EQ(view.value(), value);
        ASSERT_EQ(written.words.back(), 0x5555'5555'5555'5555ULL);
        ASSERT_FALSE(check_header(written.header, place, view.size()));
        ASSERT_FALSE(check_copy(written.bytes(), written.header));
      }
    }
  }
}

TEST(Record, OfEveryLengthIsReadBack) {
  const std::string text(composed_record_max + 100, 'v');
  for (const Word around : {ShortRecord::size_max, composed_record_max}) {
    for (std::size_t size = around - 100; size < around + 100; ++size) {
      const Bytes value = Bytes(text).substr(0, size);
      Written written = write("a key", "its face", value);
      const RecordView view{written.header, written.bytes()};
      ASSERT_EQ(view.key(), "a key");
      ASSERT_EQ(view.face(), "its face");
      ASSERT_EQ(view.value(), value);
      ASSERT_EQ(written.words.back(), 0x5555'5555'5555'5555ULL);
      ASSERT_FALSE(check_in_place(view, view.key(), view.face())) << size;
      ASSERT_FALSE(check_copy(written.bytes(), written.header)) << size;
    }
  }
}

TEST(Record, EveryFlippedBitIsFoundOut) {
  const Written whole = write("some key", "its face", "and a value");
  for (std::size_t bit = 0; bit < (whole.words.size() - 1) * 64; ++bit) {
    Written damaged = whole;
    damaged.words[bit / 64] ^= Word{1} << (bit % 64);
    RecordHeader header;
    std::memcpy(&header, damaged.bytes(), sizeof header);
    const Word room = (damaged.words.size() - 1) * sizeof(Word);
    const bool found = check_header(header, place, room) || check_copy(damaged.bytes(), header);
    ASSERT_TRUE(found) << "bit " << bit;
  }
}

TEST(Record, MovedOneHasTheSameChecksum) {
  Written written = write("key", "", "value");
  const Ref elsewhere = Ref::at(9000, 200);
  written.words[0] = elsewhere.word;
  written.header.ref = elsewhere.word;
  EXPECT_FALSE(check_header(written.header, elsewhere, 1000));
  EXPECT_FALSE(check_copy(written.bytes(), written.header));
}

TEST(Record, SizesBeyondTheRoomAreRefused) {
  RecordHeader header = header_for("key", "", "value");
  EXPECT_FALSE(check_header(header, place, record_size(header)));
  EXPECT_TRUE(check_header(header, place, record_size(header) - 1));
  header.key_size = 0xffff'ffff;
  EXPECT_TRUE(check_header(header, place, ~Word{0}));
  header.key_size = 3;
  header.face_size = 0xffff'ffff;
  EXPECT_TRUE(check_header(header, place, 1 << 20));
  header.face_size = 0;
  header.kind_and_flags = 3;
  EXPECT_TRUE(check_header(header, place, 1 << 20));
  header.kind_and_flags = static_cast<std::uint16_t>(RecordKind::blob);
  EXPECT_TRUE(check_header(header, place, 1 << 20)) << "a blob's value has one size";
  EXPECT_TRUE(check_header(header_for("", "", ""), Ref::at(4711, 4), 1000));
}

}  // namespace
}  // namespace ultradict::test
