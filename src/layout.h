// SPDX-License-Identifier: Apache-2.0
// Every byte that processes share, and no behaviour. Changing anything here changes format_version.
//
// A dict is a directory of files ("regions"):
//
//   control               identity, lock, journal, state, segment descriptors; then the first slots, entries, segments
//   slots-<file>          a slot array that outgrew control
//   entries-<table>-<k>   extent k >= 1 of a table's entries: as many as all before it
//   segment-<file>        a segment of the log
//   blob-<sequence>       a value larger than blob_size_min
//   budget                only with max_bytes: as large as what is left of it
//   staged-<n>-<g>-<c>    a blob being written by participant n, generation g
//
// All shared words are 64 bits wide, little-endian, and written with atomic stores; there is no pointer, no libc object
// and no object with behaviour among them. "Under the lock" means: by the owner of Control::lock alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace ultradict {

using Word = std::uint64_t;

inline constexpr Word magic = 0x746369446172746cULL;  // "ltraDict"
inline constexpr Word format_version = 4;

inline constexpr Word page_size = 4096;
inline constexpr Word unit_size = 8;  // of positions, and of a record's alignment

inline constexpr Word segments_max = 256;
inline constexpr Word control_segments = 2;           // segments 0 and 1 live in control and are never unlinked
inline constexpr Word segment_size_min = 256 * 1024;  // of a segment with a file of its own
inline constexpr Word allocation_step = 1024 * 1024;  // a file grows by at most so much at a time: half a millisecond
inline constexpr Word extents_max = 26;               // 64 << 25 = 2^31 entries
inline constexpr Word control_entries = 64;           // extent 0; entry 0 is never used: 0 means none
inline constexpr Word control_slots = 64;             // in each of the two slot arrays in control
inline constexpr Word slots_bits_max = 33;
inline constexpr Word stores_max = 124;  // of one change
inline constexpr Word secret_size = 192;
inline constexpr Word name_capacity = 256;
inline constexpr Word attributes_capacity = 1024;
inline constexpr Word participants_max = 65'535;

// Where a record is, for ever: a position in the endless stream and the segment that holds it. Refs are never reused.
struct Ref {
  static constexpr int segment_bits = 8;
  Word word = 0;  // position << 8 | segment; 0 = none

  static constexpr Ref at(Word position, Word segment) { return Ref{position << segment_bits | segment}; }
  constexpr Word position() const { return word >> segment_bits; }  // units of 8 bytes
  constexpr Word segment() const { return word & (segments_max - 1); }
  constexpr explicit operator bool() const { return word != 0; }
  friend constexpr bool operator==(Ref, Ref) = default;
};

// A word of the hash table. States and their transitions:
//   empty -> used       insertion
//   used -> tombstone   deletion: probes go on behind it
//   used -> empty       deletion where the slot behind is empty: every probe would end there anyway
//   tombstone -> used   insertion of a key whose probe passes here
struct Slot {
  Word word = 0;  // entry 32 | hash tag 24 | check 8

  static constexpr Word tag_of(Word hash) { return hash >> 40; }
  static constexpr Word check_of(Word entry_and_tag) { return (entry_and_tag * 0x9e3779b97f4a7c15ULL) >> 56 << 56; }
  static constexpr Slot make(Word entry, Word tag) {
    const Word body = entry | tag << 32;
    return Slot{body | check_of(body)};
  }
  static constexpr Slot used(Word entry, Word hash) { return make(entry, tag_of(hash)); }
  static constexpr Slot tombstone() { return make(0, 1); }

  constexpr Word entry() const { return word & 0xffffffffU; }
  constexpr Word tag() const { return word >> 32 & 0xffffffU; }
  constexpr bool has_tag_of(Word hash) const { return ((word ^ tag_of(hash) << 32) & Word{0xffffff} << 32) == 0; }
  constexpr bool is_empty() const { return word == 0; }
  constexpr bool is_tombstone() const { return word == tombstone().word; }
  constexpr bool is_intact() const { return check_of(word & ~(Word{0xff} << 56)) == (word & Word{0xff} << 56); }
};

// Which slot array: its file, and how long it is. One word, so that nobody sees one without the other.
struct SlotsName {
  Word word = 0;  // file << 8 | log2 of the number of slots

  static constexpr SlotsName of(Word file, Word bits) { return SlotsName{file << 8 | bits}; }
  constexpr Word file() const { return word >> 8; }
  constexpr Word bits() const { return word & 0xff; }
  constexpr Word count() const { return Word{1} << (word & 0x3f); }
};

// The lock. The low half is the futex.
struct LockWord {
  static constexpr Word number_mask = 0x00ff'ffff;
  static constexpr Word waiters = Word{1} << 30;   // somebody sleeps: wake one when leaving
  static constexpr Word starving = Word{1} << 31;  // somebody waited long: leave it to those who wait
  Word word = 0;  // owner's participant number | waiters | starving | owner's generation << 32

  static constexpr LockWord owned(Word number, Word generation) { return LockWord{number | generation << 32}; }
  constexpr Word number() const { return word & number_mask; }
  constexpr Word generation() const { return word >> 32; }
  constexpr bool is_free() const { return number() == 0; }
  constexpr Word owner() const { return word & ~(waiters | starving); }
};

// An entry belongs to one key from its insertion to its deletion, or to a nested dict as its header (HeaderMark), and
// never moves. In the free list: ref = born = 0, next is the next free entry, hash is what State::stream was when it
// was freed: the list begins with the latest. Until links are those of the list, hash is being_freed. Written under the
// lock; read by everyone.
struct Entry {
  Word ref;    // of the record with the current value; 0 = none. Its release store is the moment readers see a change
  Word hash;   // of the canonical key
  Word born;   // sequence of the insertion; 0 = free
  Word links;  // previous entry of the same dict | next << 32
};

inline constexpr Word being_freed = ~Word{0};  // no stream is so large

struct Links {
  Word word = 0;
  static constexpr Links of(Word previous, Word next) { return Links{previous | next << 32}; }
  constexpr Word previous() const { return word & 0xffffffffU; }
  constexpr Word next() const { return word >> 32; }
};

// The header of a nested dict is an entry whose words mean:
//   ref    HeaderMark: never a Ref
//   hash   HeaderCounts
//   born   mark | which of all nested dicts that were ever made here; 0 = doomed: its content is being freed
//   links  Links: the first and the last entry of its chain
// The number of its header is the dict_id of its keys.
struct HeaderMark {
  static constexpr Word mark = Word{1} << 63;    // no position is that large, in a ref or as `born`
  static constexpr Word listed = Word{1} << 31;  // it is in the list of loose headers
  static constexpr Word exotic_mask = listed - 1;
  Word word = mark;  // exotic keys 31 | listed | next header of the list it is in 31 | mark

  static constexpr HeaderMark of(Word exotic_count, bool is_listed, Word next) {
    return HeaderMark{exotic_count | (is_listed ? listed : 0) | next << 32 | mark};
  }
  constexpr bool is_header() const { return (word & mark) != 0; }
  constexpr Word exotic_count() const { return word & exotic_mask; }
  constexpr bool is_listed() const { return (word & listed) != 0; }
  constexpr Word next() const { return word >> 32 & 0x7fffffffU; }
};

struct HeaderCounts {
  Word word = 0;  // keys 32 | link_count: live records that name the dict 32
  static constexpr HeaderCounts of(Word keys, Word link_count) { return HeaderCounts{keys | link_count << 32}; }
  constexpr Word keys() const { return word & 0xffffffffU; }
  constexpr Word link_count() const { return word >> 32; }
};

enum class RecordKind : std::uint16_t { value = 1, blob = 2, child = 3 };
inline constexpr std::uint16_t record_exotic = 0x100;  // flag beside the kind: the key is exotic

// An immutable record of the log: this header, canonical key, face, value; padded to units. Written behind the tail,
// where nobody looks, before the change that names it commits. The checksum covers all but the ref, so that moving a
// record is a copy with another ref. A blob's value is BlobValue, that of a nested dict is ChildValue.
struct RecordHeader {
  Word ref;               // its own
  Word sequence;          // position where it was first written; a moved record keeps it
  std::uint32_t entry;    // that names it, if it is live
  std::uint32_t dict_id;  // number of its dict's header; 0 = the root
  std::uint32_t checksum;
  std::uint32_t key_size;
  std::uint32_t face_size;
  std::uint16_t value_size;  // as in the record
  std::uint16_t kind_and_flags;
};

struct BlobValue {
  Word size;      // bytes
  Word checksum;  // of the blob's bytes
};

struct ChildValue {
  Word number;  // of its header
  Word born;
};

// One store of a change: `value` goes to `place`.
struct Place {
  enum class Kind : std::uint8_t {
    control = 1,    // offset in bytes
    entry = 2,      // entry number * 4 + word of the entry
    slot = 3,       // slot number in the current slot array
    next_slot = 4,  // slot number in the array being built
    unlink_file =
        5,  // not a store: the file `value` of kind `offset` (FileKind) is dead; of entries: all of table `value`
    unlink_blob = 6,  // not a store: the blob of sequence `value` is dead
    sweep_blobs = 7,  // not a store: all blobs of sequences below `value` are dead
  };
  Word word = 0;  // kind << 56 | offset

  static constexpr Place make(Kind kind, Word offset) { return Place{Word(kind) << 56 | offset}; }
  constexpr Kind kind() const { return Kind(word >> 56); }
  constexpr Word offset() const { return word & ((Word{1} << 56) - 1); }
};

enum class FileKind : std::uint8_t { slots = 1, entries = 2, segment = 3 };

struct JournalStore {
  Word place;
  Word value;
};

// The stores of the change under way. `word` = 0: none. Otherwise count | checksum << 32, and the next owner of the
// lock applies them again, in order, as often as it takes.
struct Journal {
  Word word;
  Word reserved[7];
  JournalStore stores[stores_max];
};

// States: unused (file 0) -> tail -> closed (filled > 0) -> free (filled 0, has a file, is not the tail) -> tail or
// unused. Written under the lock. A reader trusts what it copied only if `first` and `file` are the same afterwards.
struct SegmentDescriptor {
  Word first;     // position of the first record of the current use
  Word file;      // 0 = none; control_file for those inside control
  Word size;      // bytes allocated
  Word capacity;  // bytes it may grow to
  Word filled;    // bytes written when it was closed
  Word live;      // bytes of records that entries name
};

inline constexpr Word control_file = 1;     // "file" of segments inside control
inline constexpr Word control_slots_a = 1;  // "files" of the two slot arrays inside control
inline constexpr Word control_slots_b = 2;
inline constexpr Word first_file = 16;  // of those with a file of their own

// Constant from the moment the name appears.
struct Identity {
  Word magic;
  Word format_version;
  Word size;         // of the control file
  Word id[2];        // of the dict, random
  Word token_id[2];  // of the token file by whose numbers the lock names its owner
  Word buffer_size;
  Word full_dump_size;
  Word max_bytes;  // of all files together; 0 = no bound
  Word flags;      // identity_auto_unlink
  Word mode;
  Word slots_offset;     // of the first slot array; the second follows
  Word entries_offset;   // of extent 0
  Word segments_offset;  // of segment 0; segment 1 follows
  Word segment_size;     // of each of the two
  Word name_size;
  Word attributes_size;
  Word checksum;  // of this struct with checksum 0
  std::uint8_t name[name_capacity];
  std::uint8_t attributes[attributes_capacity];
  std::uint8_t secret[secret_size];  // of the keyed hash
};
inline constexpr Word identity_auto_unlink = 1;

// What changes with every write. Written under the lock, by journaled stores unless noted; read by everyone.
struct State {
  // table
  Word table_number;  // grows when slots and entries are replaced as a whole; odd while that is under way
  Word slots;         // SlotsName of the current slot array
  Word slots_used;    // slots that are not empty
  Word entries_used;  // entries ever used, entry 0 included
  Word free_entry;    // head of the free list
  Word entries_size;  // entries allocated; grows by a plain store after fallocate
  // root dict
  Word ends;  // Links: first and last entry in insertion order
  Word count;
  Word exotic_count;
  // log
  Word tail;          // Ref where the next record goes
  Word live_size;     // bytes of live records
  Word closed_size;   // bytes filled in closed segments
  Word content_size;  // bytes of live keys and values, blobs included
  Word stream;        // full_dump_counter << 32 | update_stream_position
  Word blob_count;
  Word blob_size;   // bytes of live blobs
  Word cleared_at;  // position of the last clear: segments that end before it hold nothing live
  // slots being built; plain stores unless noted, for the array is nobody's truth yet
  Word next_slots;       // SlotsName; 0 = none: again by a change, which makes it the current array or gives it up
  Word next_slots_size;  // bytes allocated
  Word next_slots_used;  // grows also by the changes that insert keys meanwhile
  Word next_entry;       // entries below it are in the new array
  // batch: the records from pending to pending_end are committed and not yet applied, but for those that cleaning moved
  // there (their sequence is not their position)
  Word batch_begin;  // position of the first record of the batch being written; 0 = none; plain store
  Word pending;      // Ref; 0 = none
  Word pending_end;  // position
  Word repair;       // 1: the lock was taken from a dead owner whose left-overs are not cleared away yet; plain store
  // cleaning
  Word victim;         // segment being emptied + 1; 0 = none
  Word victim_offset;  // bytes of it that were looked at
  // book-keeping; plain stores
  Word next_file;  // number for the next file
  Word moved_records;
  Word recoveries;
  Word fullest;  // upper bound of the live bytes of the fullest closed segment
  Word spare;    // what the free segments take of the records of one segment
  // grows with every change that removes mapped files: then processes look which of theirs are gone
  Word removals;
  // nested dicts
  Word nested_count;  // keys in them
  Word dict_count;    // headers
  Word dicts_made;    // ever
  Word loose;     // first header of those that were made, or lost their last link, in the operation under way; 0 = none
  Word doomed;    // first header of those whose content is being freed; 0 = none
  Word emptying;  // header of the one that is being cleared; 0 = none
  // log
  Word largest_record;  // upper bound of those longer than a page since the last clear; plain store
};

struct alignas(64) Control {
  Identity identity;
  alignas(64) Word lock;
  alignas(64) State state;
  alignas(64) Journal journal;
  alignas(64) SegmentDescriptor segments[segments_max];
};

// The token file: numbers for the processes of one directory. Byte n of the lock space is locked by the process that is
// participant n; its generation is bumped by every claim.
struct TokenHeader {
  Word magic;
  Word id[2];
  Word reserved;
};
struct TokenRecord {
  std::uint32_t generation;
  std::int32_t pid;  // as its owner saw itself; for messages
};

// ---- four checks on this file: these asserts, tests/engine/layout_freeze.cc, docs/memory-layout.md, tests/golden ----
static_assert(sizeof(Ref) == 8 && sizeof(Slot) == 8 && sizeof(LockWord) == 8 && sizeof(Links) == 8 &&
              sizeof(Place) == 8);
static_assert(sizeof(SlotsName) == 8);
static_assert(sizeof(Entry) == 32 && std::has_unique_object_representations_v<Entry>);
static_assert(sizeof(RecordHeader) == 40 && std::has_unique_object_representations_v<RecordHeader>);
static_assert(sizeof(BlobValue) == 16 && sizeof(ChildValue) == 16 && sizeof(JournalStore) == 16 &&
              sizeof(TokenHeader) == 32);
static_assert(sizeof(SegmentDescriptor) == 48 && sizeof(TokenRecord) == 8);
static_assert(std::has_unique_object_representations_v<Identity>);
static_assert(std::has_unique_object_representations_v<State>);
static_assert(std::is_trivially_copyable_v<Control> && std::is_standard_layout_v<Control>);
static_assert(offsetof(Control, lock) % 64 == 0 && offsetof(Control, state) % 64 == 0);
static_assert(Slot::tombstone().is_intact() && !Slot::tombstone().is_empty());
static_assert(sizeof(HeaderMark) == 8 && sizeof(HeaderCounts) == 8);
static_assert(LockWord::number_mask >= participants_max);
static_assert(control_entries << (extents_max - 1) <= Word{1} << 31);

}  // namespace ultradict
