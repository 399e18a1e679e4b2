// SPDX-License-Identifier: Apache-2.0
// The table of the layout: constants, words with parts and structs as markdown.
#include "layout_table.h"

#include <bit>
#include <functional>

#include "layout.h"
#include "layout_structs.h"
#include "store/life.h"

namespace ultradict {

namespace {

struct Constant {
  const char* name;
  Word value;
  const char* meaning;
};

struct Part {
  const char* name;
  Word mask;
  const char* meaning;
};

std::string cells(std::initializer_list<std::string> texts) {
  std::string line = "|";
  for (const std::string& text : texts) line += " " + text + " |";
  return line + "\n";
}

std::string code(const std::string& text) { return "`" + text + "`"; }

// The bits of a word that an accessor looks at.
Word mask_of(const std::function<Word(Word)>& part) {
  Word mask = 0;
  for (int bit = 0; bit < 64; ++bit) {
    if (part(Word{1} << bit) != part(0)) mask |= Word{1} << bit;
  }
  return mask;
}

std::string bits(Word mask) {
  const int low = std::countr_zero(mask);
  const int high = 63 - std::countl_zero(mask);
  return low == high ? std::to_string(low) : std::to_string(low) + "–" + std::to_string(high);
}

std::string words_with_parts(const char* name, const char* meaning, std::initializer_list<Part> parts) {
  std::string text = "\n### " + std::string(name) + ": one word\n\n" + meaning + "\n\n";
  text += "| bits | part | meaning |\n|---:|---|---|\n";
  for (const Part& part : parts) text += cells({bits(part.mask), code(part.name), part.meaning});
  return text;
}

std::string all_words_with_parts() {
  const Word slot_entry = mask_of([](Word word) { return Slot{word}.entry(); });
  const Word slot_tag = mask_of([](Word word) { return Slot{word}.tag(); });
  return words_with_parts("Ref", "Where a record is, for ever. 0: nowhere.",
                          {{"segment", mask_of([](Word word) { return Ref{word}.segment(); }), "of the log"},
                           {"position", mask_of([](Word word) { return Ref{word}.position(); }),
                            "in the endless stream, in units of 8 bytes"}}) +
         words_with_parts("Slot", "A word of the hash table. 0: empty. Entry 0 with tag 1: tombstone.",
                          {{"entry", slot_entry, "number of the entry"},
                           {"tag", slot_tag, "high bits of the hash"},
                           {"check", ~(slot_entry | slot_tag), "high byte of the bits below × 0x9e3779b97f4a7c15"}}) +
         words_with_parts("SlotsName", "Which slot array. 0: none.",
                          {{"bits", mask_of([](Word word) { return SlotsName{word}.bits(); }), "log2 of its length"},
                           {"file", mask_of([](Word word) { return SlotsName{word}.file(); }),
                            "number of the file; 1 and 2: the arrays inside control"}}) +
         words_with_parts("LockWord", "The lock. Owner 0: free.",
                          {{"number", LockWord::number_mask, "of the owner, as participant"},
                           {"waiters", LockWord::waiters, "somebody sleeps: wake one when leaving"},
                           {"starving", LockWord::starving, "somebody waited long: leave it to those who wait"},
                           {"generation", mask_of([](Word word) { return LockWord{word}.generation(); }),
                            "of the owner's number"}}) +
         words_with_parts("Links", "Neighbours in the chain, which is the order of insertion. 0: none.",
                          {{"previous", mask_of([](Word word) { return Links{word}.previous(); }), "entry before"},
                           {"next", mask_of([](Word word) { return Links{word}.next(); }), "entry after"}}) +
         words_with_parts("HeaderMark", "The first word of an entry that is the header of a nested dict.",
                          {{"exotic_count", mask_of([](Word word) { return HeaderMark{word}.exotic_count(); }),
                            "exotic keys of the dict"},
                           {"listed", HeaderMark::listed, "it is in the list of loose headers"},
                           {"next", mask_of([](Word word) { return HeaderMark{word}.next(); }),
                            "header behind it in the list of loose or of doomed ones"},
                           {"mark", HeaderMark::mark, "set: it is a header"}}) +
         words_with_parts("HeaderCounts", "The second word of a header.",
                          {{"keys", mask_of([](Word word) { return HeaderCounts{word}.keys(); }), "of the dict"},
                           {"link_count", mask_of([](Word word) { return HeaderCounts{word}.link_count(); }),
                            "keys that refer to it"}}) +
         words_with_parts("Place", "What one store of a change goes to.",
                          {{"offset", mask_of([](Word word) { return Place{word}.offset(); }), "as the kind says"},
                           {"kind", mask_of([](Word word) { return Word(Place{word}.kind()); }), "`Place::Kind`"}});
}

const Constant all_constants[] = {
    {"format_version", format_version, "raised by every change of this layout"},
    {"unit_size", unit_size, "bytes; of positions, and of a record's alignment"},
    {"page_size", page_size, "bytes"},
    {"secret_size", secret_size, "bytes"},
    {"name_capacity", name_capacity, "bytes"},
    {"attributes_capacity", attributes_capacity, "bytes"},
    {"segments_max", segments_max, "segments of the log"},
    {"control_segments", control_segments, "of them inside control, never unlinked"},
    {"segment_size_min", segment_size_min, "bytes of a segment with a file of its own"},
    {"allocation_step", allocation_step, "bytes that a file grows by at most at a time"},
    {"control_entries", control_entries, "entries inside control; entry 0 is never used"},
    {"extents_max", extents_max, "extents of entries, each as large as all before it"},
    {"control_slots", control_slots, "slots of each of the two arrays inside control"},
    {"slots_bits_max", slots_bits_max, "log2 of the longest slot array"},
    {"stores_max", stores_max, "stores of one change"},
    {"participants_max", participants_max, "processes of one directory"},
    {"record_exotic", record_exotic, "flag of a record: the key is exotic"},
    {"identity_auto_unlink", identity_auto_unlink, "flag of a dict"},
    {"control_file", control_file, "number that stands for the control file, of a segment"},
    {"control_slots_a", control_slots_a, "likewise, of the first slot array"},
    {"control_slots_b", control_slots_b, "likewise, of the second"},
    {"first_file", first_file, "first number of a file of its own"},
    {"attached_byte", attached_byte, "of control: locked, shared, by all who are attached"},
    {"creator_byte", creator_byte, "of control: locked by the creator of a dict with auto_unlink"},
    {"RecordKind::value", Word(RecordKind::value), "the value is in the record"},
    {"RecordKind::blob", Word(RecordKind::blob), "the value is a BlobValue"},
    {"RecordKind::child", Word(RecordKind::child), "the value is a ChildValue: a nested dict"},
    {"Place::Kind::control", Word(Place::Kind::control), "offset: bytes from the start of control"},
    {"Place::Kind::entry", Word(Place::Kind::entry), "offset: entry number × 4 + word of the entry"},
    {"Place::Kind::slot", Word(Place::Kind::slot), "offset: slot number"},
    {"Place::Kind::next_slot", Word(Place::Kind::next_slot), "offset: slot number in the array being built"},
    {"Place::Kind::unlink_file", Word(Place::Kind::unlink_file),
     "no store: the file `value` of FileKind `offset` is dead"},
    {"Place::Kind::unlink_blob", Word(Place::Kind::unlink_blob), "no store: the blob of sequence `value` is dead"},
    {"Place::Kind::sweep_blobs", Word(Place::Kind::sweep_blobs),
     "no store: all blobs of sequences below `value` are dead"},
    {"FileKind::slots", Word(FileKind::slots), "`slots-<file>`"},
    {"FileKind::entries", Word(FileKind::entries), "`entries-<table>-<extent>`"},
    {"FileKind::segment", Word(FileKind::segment), "`segment-<file>`"},
};

std::string constants() {
  std::string text = "### Constants\n\n| constant | value | meaning |\n|---|---:|---|\n";
  for (const Constant& one : all_constants) text += cells({code(one.name), std::to_string(one.value), one.meaning});
  return text;
}

// Only what begins a cache line may have a gap before it.
std::string gap(std::size_t from, std::size_t to) {
  if (from == to) return "";
  const char* meaning = from < to && to % 64 == 0 && to - from < 64 ? "unused, to the next cache line" : unexplained;
  return cells({std::to_string(from), std::to_string(to - from), "", meaning});
}

std::string struct_table(const StructMeaning& one) {
  std::string text = "\n### " + std::string(one.name) + ": " + std::to_string(one.size) + " bytes\n\n" + one.meaning +
                     "\n\n| offset | size | field | meaning |\n|---:|---:|---|---|\n";
  std::size_t end = 0;
  for (const FieldMeaning& field : one.fields) {
    text += gap(end, field.offset);
    text += cells({std::to_string(field.offset), std::to_string(field.size), code(field.name), field.meaning});
    end = field.offset + field.size;
  }
  return text + gap(end, one.size);
}

}  // namespace

std::string layout_table() {
  std::string text = constants() + all_words_with_parts();
  for (const StructMeaning& one : layout_structs()) text += struct_table(one);
  return text;
}

}  // namespace ultradict
