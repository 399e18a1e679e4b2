// SPDX-License-Identifier: Apache-2.0
// Records: how header, key, face and value become one run of words, and how a run of bytes is proved to be a record.
//
// A record is written once, where nobody looks, and never changed. A reader that copies one may meet a segment that is
// being reused: it copies words, checks that the segment is still the same, and only then trusts what it has.
#pragma once

#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"
#include "base/shared_atomic.h"
#include "layout.h"
#include "ultradict/bytes.h"
#include "ultradict/options.h"

namespace ultradict {

inline constexpr Word round_up(Word size, Word unit) { return (size + unit - 1) / unit * unit; }

inline constexpr Word record_size(Word key_size, Word face_size, Word value_size) {
  return round_up(sizeof(RecordHeader) + key_size + face_size + value_size, unit_size);
}

inline Word record_size(const RecordHeader& header) {
  return record_size(header.key_size, header.face_size, header.value_size);
}

// A record in place, under the lock, or as copied out.
struct RecordView {
  RecordHeader header{};
  const char* bytes = nullptr;  // of the whole record

  Word size() const { return record_size(header); }
  Bytes key() const { return {bytes + sizeof(RecordHeader), header.key_size}; }
  Bytes face() const { return {bytes + sizeof(RecordHeader) + header.key_size, header.face_size}; }
  Bytes value() const { return {bytes + sizeof(RecordHeader) + header.key_size + header.face_size, header.value_size}; }
  RecordKind kind() const { return RecordKind(header.kind_and_flags & 0xff); }
  bool is_blob() const { return kind() == RecordKind::blob; }
  bool is_child() const { return kind() == RecordKind::child; }
  bool is_exotic() const { return (header.kind_and_flags & record_exotic) != 0; }
  BlobValue blob() const {
    BlobValue blob{};
    if (header.value_size == sizeof blob) std::memcpy(&blob, value().data(), sizeof blob);
    return blob;
  }
  ChildValue child() const {
    ChildValue child{};
    if (is_child() && header.value_size == sizeof child) std::memcpy(&child, value().data(), sizeof child);
    return child;
  }
  // Bytes that full_dump_size counts.
  Word content_size() const {
    return header.key_size + header.face_size + (is_blob() ? blob().size : header.value_size);
  }
  Word blob_size() const { return is_blob() ? blob().size : 0; }
};

// 1 to 7 bytes as a word, put together in a register: a word written to memory in pieces could only be read back
// when all of them have arrived there.
inline Word small_word(const char* from, std::size_t size) {
  const auto byte = [&](std::size_t i) { return Word{static_cast<unsigned char>(from[i])} << (8 * i); };
  if (size >= 4) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, from, sizeof low);
    std::memcpy(&high, from + size - sizeof high, sizeof high);
    return low | Word{high} << (8 * (size - sizeof high));
  }
  return byte(0) | byte(size / 2) | byte(size - 1);
}

// Appends bytes to a run of shared words.
class WordWriter {
 public:
  explicit WordWriter(char* to) : to_(reinterpret_cast<Word*>(to)) {}

  [[gnu::always_inline]] void append(Word word) {
    shared::store_relaxed(*to_++, carried_ | word << (8 * count_));
    carried_ = count_ == 0 ? 0 : word >> (64 - 8 * count_);
  }
  [[gnu::always_inline]] void append(Bytes bytes) {
    const char* from = bytes.data();
    std::size_t size = bytes.size();
    for (; size >= sizeof(Word); size -= sizeof(Word), from += sizeof(Word)) {
      Word word;
      std::memcpy(&word, from, sizeof word);
      append(word);
    }
    if (size > 0) append_rest(small_word(from, size), size);
  }
  // The first `size` bytes of a run of whole words, where nothing was appended but words.
  void append_words(const Word* from, std::size_t size) {
    for (; size >= sizeof(Word); size -= sizeof(Word)) shared::store_relaxed(*to_++, *from++);
    if (size > 0) append_rest(*from & ((Word{1} << (8 * size)) - 1), size);
  }
  void finish() {
    if (count_ > 0) shared::store_relaxed(*to_, carried_);
  }

 private:
  [[gnu::always_inline]] void append_rest(Word word, std::size_t size) {
    carried_ |= word << (8 * count_);
    if (count_ + size < sizeof(Word)) {
      count_ += size;
      return;
    }
    shared::store_relaxed(*to_++, carried_);
    carried_ = word >> (64 - 8 * count_);  // count_ is not 0: fewer than 8 bytes filled a word
    count_ = count_ + size - sizeof(Word);
  }

  Word* to_;
  Word carried_ = 0;       // bytes that do not fill a word yet
  std::size_t count_ = 0;  // of them
};

inline std::uint32_t record_checksum(const char* record, Word size) {
  return checksum32(record + sizeof(Word), size - sizeof(Word));
}

// The checksum field shares a word with key_size.
inline Word& checksum_word(char* record) { return *reinterpret_cast<Word*>(record + offsetof(RecordHeader, checksum)); }

// Put together as words: fields that were stored one by one could not be loaded together before they have reached
// memory.
inline RecordHeader make_header(Ref ref, Word entry, Word dict_id, Word key_size, Word face_size, Word value_size,
                                Word kind) {
  const std::array<Word, 5> words = {ref.word, ref.position(), entry | dict_id << 32, key_size << 32,
                                     face_size | value_size << 32 | kind << 48};
  return std::bit_cast<RecordHeader>(words);
}

// Writes a record at its place in the log. header.checksum is computed here.
inline void write_record(char* to, const RecordHeader& header, Bytes key, Bytes face, Bytes value) {
  WordWriter writer(to);
  writer.append(header.ref);
  writer.append(header.sequence);
  writer.append(header.entry | Word{header.dict_id} << 32);
  writer.append(Word{header.key_size} << 32);
  writer.append(header.face_size | Word{header.value_size} << 32 | Word{header.kind_and_flags} << 48);
  writer.append(key);
  writer.append(face);
  writer.append(value);
  writer.finish();
  const Word checksum = record_checksum(to, record_size(header));
  shared::store_relaxed(checksum_word(to), checksum | Word{header.key_size} << 32);
}

// Writes a record of the same key as `old`, which lies in place, with another value; both are in the log.
[[gnu::always_inline]] inline void write_successor(char* to, Ref ref, const RecordView& old, Bytes value) {
  const RecordHeader& header = old.header;
  const Word kept = Word{header.key_size} + header.face_size;
  WordWriter writer(to);
  writer.append(ref.word);
  writer.append(ref.position());
  writer.append(header.entry | Word{header.dict_id} << 32);
  writer.append(Word{header.key_size} << 32);
  writer.append(header.face_size | Word{value.size()} << 32 | Word{header.kind_and_flags} << 48);
  writer.append_words(reinterpret_cast<const Word*>(old.bytes + sizeof header), kept);
  writer.append(value);
  writer.finish();
  const Word checksum = record_checksum(to, record_size(kept, 0, value.size()));
  shared::store_relaxed(checksum_word(to), checksum | Word{header.key_size} << 32);
}

// Of a record in place.
inline Fault check_in_place(const RecordView& view) {
  const Word key_size = Word{view.header.key_size} << 32;  // the checksum shares a word with it
  StreamedChecksum checksum;
  checksum.add(view.bytes + sizeof(Word), offsetof(RecordHeader, checksum) - sizeof(Word));
  checksum.add(&key_size, sizeof key_size);
  const Word done = offsetof(RecordHeader, checksum) + sizeof key_size;
  checksum.add(view.bytes + done, view.size() - done);
  const auto found = static_cast<std::uint32_t>(checksum.value());
  if (found != view.header.checksum) return Fault::damaged("record: checksum", found, view.header.checksum);
  return {};
}

// Header fields that contradict each other or `room`, the bytes from the record's start to the end of its segment.
[[gnu::always_inline]] inline Fault check_header(const RecordHeader& header, Ref ref, Word room) {
  if (header.ref != ref.word) return Fault::damaged("record: own ref", header.ref, ref.word);
  if (header.key_size > key_size_max) return Fault::damaged("record: key size", header.key_size, key_size_max);
  if (record_size(header) > room) return Fault::damaged("record: size", record_size(header), room);
  const Word kind = header.kind_and_flags & 0xff;
  if (kind < Word(RecordKind::value) || kind > Word(RecordKind::child)) return Fault::damaged("record: kind", kind);
  if (kind == Word(RecordKind::blob) && header.value_size != sizeof(BlobValue)) {
    return Fault::damaged("record: size of a blob's value", header.value_size, sizeof(BlobValue));
  }
  if (kind == Word(RecordKind::child) && header.value_size != sizeof(ChildValue)) {
    return Fault::damaged("record: size of a nested dict's value", header.value_size, sizeof(ChildValue));
  }
  return {};
}

// The checksum of a record of that size that was copied out to `bytes`, whose checksum field is cleared by this.
[[gnu::always_inline]] inline std::uint32_t checksum_of_copy(char* bytes, Word size, Word key_size) {
  // As a whole word: a part of one could not be read back together with the rest before both have reached memory.
  const Word without = key_size << 32;
  std::memcpy(bytes + offsetof(RecordHeader, checksum), &without, sizeof without);
  return record_checksum(bytes, size);
}

inline Fault check_copy(char* bytes, const RecordHeader& header) {
  const std::uint32_t found = checksum_of_copy(bytes, record_size(header), header.key_size);
  if (found != header.checksum) return Fault::damaged("record: checksum", found, header.checksum);
  return {};
}

}  // namespace ultradict
