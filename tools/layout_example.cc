// SPDX-License-Identifier: Apache-2.0
// The worked example of the layout: from the first key of a small dict to its slot, its entry and its record, read
// straight from the bytes of the control file as somebody with a hex dump would.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "layout.h"
#include "layout_table.h"
#include "structures/record.h"

namespace ultradict {

namespace {

namespace fs = std::filesystem;

std::string read_control(const std::string& directory) {
  for (const fs::directory_entry& dict : fs::directory_iterator(directory + "/d")) {
    std::ifstream file(dict.path() / "control", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  return "";
}

template <typename Struct>
Struct read_struct(const std::string& bytes, Word offset) {
  Struct found{};
  if (offset <= bytes.size() && sizeof found <= bytes.size() - offset) {
    std::memcpy(&found, bytes.data() + offset, sizeof found);
  }
  return found;
}

std::string hex(Word word) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(word));
  return text;
}

// One word as it lies in the file, and what it says.
std::string line(const std::string& bytes, Word offset, const std::string& meaning) {
  std::string text = std::to_string(offset) + "  ";
  for (Word byte = 0; byte < sizeof(Word); ++byte) {
    char pair[4];
    std::snprintf(pair, sizeof pair, " %02x", static_cast<unsigned char>(bytes[offset + byte]));
    text += pair;
  }
  return text + "   " + meaning + "\n";
}

// Printable characters as themselves, other bytes as dots.
std::string letters(const std::string& bytes, Word offset) {
  std::string text = bytes.substr(offset, sizeof(Word));
  for (char& letter : text) {
    if (letter < ' ' || letter > '~') letter = '.';
  }
  return text;
}

std::string name_of(Ref ref) {
  return "position " + std::to_string(ref.position()) + ", segment " + std::to_string(ref.segment());
}

// Probes as a reader does: from the home of the hash to the slot that leads to the entry.
std::string slot_lines(const std::string& bytes, const Identity& identity, SlotsName slots, Word entry, Word hash) {
  const Word home = hash & (slots.count() - 1);
  for (Word step = 0; step < slots.count(); ++step) {
    const Word number = (home + step) & (slots.count() - 1);
    const Word offset = identity.slots_offset + number * sizeof(Slot);
    const Slot slot = read_struct<Slot>(bytes, offset);
    if (slot.entry() != entry || slot.is_empty()) continue;
    return "slot " + std::to_string(number) + "  (home of the hash: " + std::to_string(home) + ")\n" +
           line(bytes, offset,
                "entry " + std::to_string(slot.entry()) + ", tag " + hex(slot.tag()) + ", check " +
                    hex(slot.word >> 56));
  }
  return "no slot leads to entry " + std::to_string(entry) + "\n";
}

std::string entry_lines(const std::string& bytes, Word offset, Word number) {
  const auto entry = read_struct<Entry>(bytes, offset);
  const Links links{entry.links};
  return "entry " + std::to_string(number) + "\n" + line(bytes, offset, "ref: " + name_of(Ref{entry.ref})) +
         line(bytes, offset + offsetof(Entry, hash), "hash " + hex(entry.hash)) +
         line(bytes, offset + offsetof(Entry, born), "born " + std::to_string(entry.born)) +
         line(bytes, offset + offsetof(Entry, links),
              "previous " + std::to_string(links.previous()) + ", next " + std::to_string(links.next()));
}

std::string record_lines(const std::string& bytes, Word offset) {
  const auto header = read_struct<RecordHeader>(bytes, offset);
  std::string text =
      "record\n" + line(bytes, offset, "ref: " + name_of(Ref{header.ref})) +
      line(bytes, offset + offsetof(RecordHeader, sequence), "sequence " + std::to_string(header.sequence)) +
      line(bytes, offset + offsetof(RecordHeader, entry),
           "entry " + std::to_string(header.entry) + ", dict_id " + std::to_string(header.dict_id)) +
      line(bytes, offset + offsetof(RecordHeader, checksum),
           "checksum " + hex(header.checksum) + ", key_size " + std::to_string(header.key_size)) +
      line(bytes, offset + offsetof(RecordHeader, face_size),
           "face_size " + std::to_string(header.face_size) + ", value_size " + std::to_string(header.value_size) +
               ", kind_and_flags " + hex(header.kind_and_flags));
  for (Word at = sizeof header; at < record_size(header); at += sizeof(Word)) {
    text += line(bytes, offset + at, letters(bytes, offset + at));
  }
  return text;
}

}  // namespace

std::string layout_example(const std::string& directory) {
  const std::string bytes = read_control(directory);
  const auto identity = read_struct<Identity>(bytes, offsetof(Control, identity));
  const auto state = read_struct<State>(bytes, offsetof(Control, state));
  const Word number = Links{state.ends}.previous();
  const Word entry_offset = identity.entries_offset + number * sizeof(Entry);
  const auto entry = read_struct<Entry>(bytes, entry_offset);
  const Ref ref{entry.ref};
  const auto segment =
      read_struct<SegmentDescriptor>(bytes, offsetof(Control, segments) + ref.segment() * sizeof(SegmentDescriptor));
  const Word record_offset =
      identity.segments_offset + ref.segment() * identity.segment_size + (ref.position() - segment.first) * unit_size;
  return "```\n" + slot_lines(bytes, identity, SlotsName{state.slots}, number, entry.hash) + "\n" +
         entry_lines(bytes, entry_offset, number) + "\n" + record_lines(bytes, record_offset) + "```\n";
}

}  // namespace ultradict
