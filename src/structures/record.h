// SPDX-License-Identifier: Apache-2.0
// Records: how header, key, face and value become one run of words, and how a run of bytes is proved to be a record.
//
// A record is written once, where nobody looks, and never changed. A reader that copies one may meet a segment that is
// being reused: it copies words, checks that the segment is still the same, and only then trusts what it has.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/fault.h"
#include "base/hash.h"
#include "base/shared_atomic.h"
#include "base/word_writer.h"
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

// No face, no flags, and the value is in it.
inline bool is_mere_value(const RecordView& view) {
  return view.header.face_size == 0 && view.header.kind_and_flags == Word(RecordKind::value);
}

inline std::uint32_t record_checksum(const char* record, Word size) {
  return checksum32(record + sizeof(Word), size - sizeof(Word));
}

// The checksum field shares a word with key_size.
inline void set_checksum(char* record, Word key_size, Word checksum) {
  shared::store_relaxed(*word_at(record + offsetof(RecordHeader, checksum)), checksum | key_size << 32);
}

// A header as its words, with 0 for the checksum. Put together as words in registers: fields that were stored one by
// one could not be loaded together before they have reached memory.
struct HeaderWords {
  Word ref;
  Word sequence;
  Word owner;  // entry and dict
  Word checksum_and_key_size;
  Word sizes_and_kind;

  static HeaderWords of(Ref ref, Word entry, Word dict_id, Word key_size, Word face_size, Word value_size, Word kind) {
    return {ref.word, ref.position(), entry | dict_id << 32, key_size << 32, face_size | value_size << 32 | kind << 48};
  }
  static HeaderWords of(const RecordHeader& header) {
    HeaderWords words = of(Ref{header.ref}, header.entry, header.dict_id, header.key_size, header.face_size,
                           header.value_size, header.kind_and_flags);
    words.sequence = header.sequence;
    return words;
  }
  RecordHeader header() const { return std::bit_cast<RecordHeader>(*this); }
  template <typename Writer>
  [[gnu::always_inline]] void append_to(Writer& writer) const {
    writer.append(ref);
    writer.append(sequence);
    writer.append(owner);
    writer.append(checksum_and_key_size);
    writer.append(sizes_and_kind);
  }
};
static_assert(sizeof(HeaderWords) == sizeof(RecordHeader));

// The checksum of a record in parts: from behind its ref, with 0 where the checksum itself is.
class PartsChecksum {
 public:
  explicit PartsChecksum(const RecordHeader& header) {
    Word words[sizeof header / sizeof(Word)];
    WordWriter writer(words::Own{words});
    HeaderWords::of(header).append_to(writer);
    sum_.add(words + 1, sizeof words - sizeof(Word));
  }
  void add(Bytes part) { sum_.add(part.data(), part.size()); }
  std::uint32_t value() const { return static_cast<std::uint32_t>(sum_.value()); }

 private:
  StreamedChecksum sum_;
};

// Of any length: what it is made of is read twice, for its checksum and to be written.
inline void write_long_record(char* to, const RecordHeader& header, Bytes key, Bytes face, Bytes value) {
  constexpr char nothing[sizeof(Word)] = {};
  const Word unpadded = sizeof header + key.size() + face.size() + value.size();
  PartsChecksum checksum(header);
  for (const Bytes part : {key, face, value, Bytes(nothing, record_size(header) - unpadded)}) checksum.add(part);
  WordWriter writer(words::Shared{word_at(to)});
  HeaderWords::of(header).append_to(writer);
  for (const Bytes part : {key, face, value}) writer.append(part);
  writer.finish();
  set_checksum(to, header.key_size, checksum.value());
}

// A short record on its way into the log: put together, and its checksum computed, in memory of this process. What lies
// in shared memory a stranger can write to, and what is sealed there could be his.
class ShortRecord {
 public:
  static constexpr Word size_max = 512;

  WordWriter<words::Both> writer(char* to) { return WordWriter(words::Both{{words_}, {word_at(to)}}); }
  Bytes key(Word size) const { return {bytes() + sizeof(RecordHeader), size}; }
  // Of all that was written but for the checksum itself.
  Word checksum(Word size) const { return record_checksum(bytes(), size); }

 private:
  const char* bytes() const { return reinterpret_cast<const char*>(words_); }

  Word words_[size_max / sizeof(Word)];
};

inline constexpr Word composed_record_max = 4096;  // bytes of stack: that of a thread may be small

// The same of a longer one, as a whole: to copy twice is cheaper then than to shift each word.
[[gnu::noinline]] inline void write_composed_record(char* to, const RecordHeader& header, Bytes key, Bytes face,
                                                    Bytes value) {
  Word words[composed_record_max / sizeof(Word)];
  char* const record = reinterpret_cast<char*>(words);
  const Word size = record_size(header);
  const RecordHeader unsealed = HeaderWords::of(header).header();
  words[size / sizeof(Word) - 1] = 0;  // behind its end
  std::memcpy(record, &unsealed, sizeof unsealed);
  char* end = record + sizeof unsealed;
  for (const Bytes part : {key, face, value}) end = std::ranges::copy(part, end).out;
  shared::copy_in(to, record, size);
  set_checksum(to, header.key_size, record_checksum(record, size));
}

// Writes a record at its place in the log. The checksum is computed here, of what was passed.
inline void write_record(char* to, const RecordHeader& header, Bytes key, Bytes face, Bytes value) {
  if (record_size(header) > composed_record_max) return write_long_record(to, header, key, face, value);
  if (record_size(header) > ShortRecord::size_max) return write_composed_record(to, header, key, face, value);
  ShortRecord record;
  auto writer = record.writer(to);
  HeaderWords::of(header).append_to(writer);
  writer.append(key);
  writer.append(face);
  writer.append(value);
  writer.finish();
  set_checksum(to, header.key_size, record.checksum(record_size(header)));
}

// Of a record in place, of which key and face were copied out.
inline Fault check_in_place(const RecordView& view, Bytes key, Bytes face) {
  const Word done = sizeof(RecordHeader) + key.size() + face.size();
  PartsChecksum checksum(view.header);
  for (const Bytes part : {key, face, Bytes(view.bytes + done, view.size() - done)}) checksum.add(part);
  if (checksum.value() == view.header.checksum) return {};
  return Fault::damaged("record: checksum", checksum.value(), view.header.checksum);
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

// A record that an entry names is of that entry, and of its present key.
[[gnu::always_inline]] inline Fault check_own(const RecordHeader& header, Word entry, Word born) {
  if (header.entry != entry) return Fault::damaged("record: entry", header.entry, entry);
  if (header.sequence < born) return Fault::damaged("record: older than its key", header.sequence, born);
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
