// SPDX-License-Identifier: Apache-2.0
// The byte layout, frozen: COMPILING THIS FILE IS THE CHECK; there is nothing to run.
//
// Every number below is written out, never computed from layout.h, so an edit there that moves a byte stops the build
// here. If it does, processes of two builds that share a dict would read each other's bytes wrongly. So either
//   - undo the edit, or
//   - raise format_version in src/layout.h, put the new numbers here, and follow the steps at the end of
//     docs/memory-layout.md: a new tests/golden/format-<n>, the document printed anew.
// A field, constant or enum value that is added to layout.h is added here too.
#include <cstddef>

#include "layout.h"
#include "store/life.h"
#include "ultradict/encoding.h"

namespace ultradict {

#define FREEZE_VALUE(expression, value) static_assert(Word(expression) == Word{value})
#define FREEZE_SIZE(type, size, alignment) static_assert(sizeof(type) == (size) && alignof(type) == (alignment))
#define FREEZE_FIELD(type, field, offset, size) \
  static_assert(offsetof(type, field) == (offset) && sizeof(type::field) == (size))

// ---- constants ----
FREEZE_VALUE(magic, 0x746369446172746c);
FREEZE_VALUE(format_version, 4);
FREEZE_VALUE(page_size, 4096);
FREEZE_VALUE(unit_size, 8);
FREEZE_VALUE(segments_max, 256);
FREEZE_VALUE(control_segments, 2);
FREEZE_VALUE(segment_size_min, 262144);
FREEZE_VALUE(allocation_step, 1048576);
FREEZE_VALUE(extents_max, 26);
FREEZE_VALUE(control_entries, 64);
FREEZE_VALUE(control_slots, 64);
FREEZE_VALUE(slots_bits_max, 33);
FREEZE_VALUE(stores_max, 124);
FREEZE_VALUE(secret_size, 192);
FREEZE_VALUE(name_capacity, 256);
FREEZE_VALUE(attributes_capacity, 1024);
FREEZE_VALUE(participants_max, 65535);
FREEZE_VALUE(record_exotic, 256);
FREEZE_VALUE(control_file, 1);
FREEZE_VALUE(control_slots_a, 1);
FREEZE_VALUE(control_slots_b, 2);
FREEZE_VALUE(first_file, 16);
FREEZE_VALUE(identity_auto_unlink, 1);

// ---- words with parts; their bits are below ----
FREEZE_SIZE(Ref, 8, 8);
FREEZE_FIELD(Ref, word, 0, 8);
FREEZE_SIZE(Slot, 8, 8);
FREEZE_FIELD(Slot, word, 0, 8);
FREEZE_SIZE(SlotsName, 8, 8);
FREEZE_FIELD(SlotsName, word, 0, 8);
FREEZE_SIZE(LockWord, 8, 8);
FREEZE_FIELD(LockWord, word, 0, 8);
FREEZE_SIZE(Links, 8, 8);
FREEZE_FIELD(Links, word, 0, 8);
FREEZE_SIZE(Place, 8, 8);
FREEZE_FIELD(Place, word, 0, 8);

// ---- table and log ----
FREEZE_SIZE(Entry, 32, 8);
FREEZE_FIELD(Entry, ref, 0, 8);
FREEZE_FIELD(Entry, hash, 8, 8);
FREEZE_FIELD(Entry, born, 16, 8);
FREEZE_FIELD(Entry, links, 24, 8);

FREEZE_SIZE(RecordHeader, 40, 8);
FREEZE_FIELD(RecordHeader, ref, 0, 8);
FREEZE_FIELD(RecordHeader, sequence, 8, 8);
FREEZE_FIELD(RecordHeader, entry, 16, 4);
FREEZE_FIELD(RecordHeader, dict_id, 20, 4);
FREEZE_FIELD(RecordHeader, checksum, 24, 4);
FREEZE_FIELD(RecordHeader, key_size, 28, 4);
FREEZE_FIELD(RecordHeader, face_size, 32, 4);
FREEZE_FIELD(RecordHeader, value_size, 36, 2);
FREEZE_FIELD(RecordHeader, kind_and_flags, 38, 2);

FREEZE_SIZE(BlobValue, 16, 8);
FREEZE_FIELD(BlobValue, size, 0, 8);
FREEZE_FIELD(BlobValue, checksum, 8, 8);

FREEZE_SIZE(ChildValue, 16, 8);
FREEZE_FIELD(ChildValue, number, 0, 8);
FREEZE_FIELD(ChildValue, born, 8, 8);

FREEZE_SIZE(SegmentDescriptor, 48, 8);
FREEZE_FIELD(SegmentDescriptor, first, 0, 8);
FREEZE_FIELD(SegmentDescriptor, file, 8, 8);
FREEZE_FIELD(SegmentDescriptor, size, 16, 8);
FREEZE_FIELD(SegmentDescriptor, capacity, 24, 8);
FREEZE_FIELD(SegmentDescriptor, filled, 32, 8);
FREEZE_FIELD(SegmentDescriptor, live, 40, 8);

// ---- the journal ----
FREEZE_SIZE(JournalStore, 16, 8);
FREEZE_FIELD(JournalStore, place, 0, 8);
FREEZE_FIELD(JournalStore, value, 8, 8);

FREEZE_SIZE(Journal, 2048, 8);
FREEZE_FIELD(Journal, word, 0, 8);
FREEZE_FIELD(Journal, reserved, 8, 56);
FREEZE_FIELD(Journal, stores, 64, 1984);

// ---- control ----
FREEZE_SIZE(Identity, 1624, 8);
FREEZE_FIELD(Identity, magic, 0, 8);
FREEZE_FIELD(Identity, format_version, 8, 8);
FREEZE_FIELD(Identity, size, 16, 8);
FREEZE_FIELD(Identity, id, 24, 16);
FREEZE_FIELD(Identity, token_id, 40, 16);
FREEZE_FIELD(Identity, buffer_size, 56, 8);
FREEZE_FIELD(Identity, full_dump_size, 64, 8);
FREEZE_FIELD(Identity, max_bytes, 72, 8);
FREEZE_FIELD(Identity, flags, 80, 8);
FREEZE_FIELD(Identity, mode, 88, 8);
FREEZE_FIELD(Identity, slots_offset, 96, 8);
FREEZE_FIELD(Identity, entries_offset, 104, 8);
FREEZE_FIELD(Identity, segments_offset, 112, 8);
FREEZE_FIELD(Identity, segment_size, 120, 8);
FREEZE_FIELD(Identity, name_size, 128, 8);
FREEZE_FIELD(Identity, attributes_size, 136, 8);
FREEZE_FIELD(Identity, checksum, 144, 8);
FREEZE_FIELD(Identity, name, 152, 256);
FREEZE_FIELD(Identity, attributes, 408, 1024);
FREEZE_FIELD(Identity, secret, 1432, 192);

FREEZE_SIZE(State, 320, 8);
FREEZE_FIELD(State, table_number, 0, 8);
FREEZE_FIELD(State, slots, 8, 8);
FREEZE_FIELD(State, slots_used, 16, 8);
FREEZE_FIELD(State, entries_used, 24, 8);
FREEZE_FIELD(State, free_entry, 32, 8);
FREEZE_FIELD(State, entries_size, 40, 8);
FREEZE_FIELD(State, ends, 48, 8);
FREEZE_FIELD(State, count, 56, 8);
FREEZE_FIELD(State, exotic_count, 64, 8);
FREEZE_FIELD(State, tail, 72, 8);
FREEZE_FIELD(State, live_size, 80, 8);
FREEZE_FIELD(State, closed_size, 88, 8);
FREEZE_FIELD(State, content_size, 96, 8);
FREEZE_FIELD(State, stream, 104, 8);
FREEZE_FIELD(State, blob_count, 112, 8);
FREEZE_FIELD(State, blob_size, 120, 8);
FREEZE_FIELD(State, cleared_at, 128, 8);
FREEZE_FIELD(State, next_slots, 136, 8);
FREEZE_FIELD(State, next_slots_size, 144, 8);
FREEZE_FIELD(State, next_slots_used, 152, 8);
FREEZE_FIELD(State, next_entry, 160, 8);
FREEZE_FIELD(State, batch_begin, 168, 8);
FREEZE_FIELD(State, pending, 176, 8);
FREEZE_FIELD(State, pending_end, 184, 8);
FREEZE_FIELD(State, repair, 192, 8);
FREEZE_FIELD(State, victim, 200, 8);
FREEZE_FIELD(State, victim_offset, 208, 8);
FREEZE_FIELD(State, next_file, 216, 8);
FREEZE_FIELD(State, moved_records, 224, 8);
FREEZE_FIELD(State, recoveries, 232, 8);
FREEZE_FIELD(State, fullest, 240, 8);
FREEZE_FIELD(State, spare, 248, 8);
FREEZE_FIELD(State, removals, 256, 8);
FREEZE_FIELD(State, nested_count, 264, 8);
FREEZE_FIELD(State, dict_count, 272, 8);
FREEZE_FIELD(State, dicts_made, 280, 8);
FREEZE_FIELD(State, loose, 288, 8);
FREEZE_FIELD(State, doomed, 296, 8);
FREEZE_FIELD(State, emptying, 304, 8);
FREEZE_FIELD(State, largest_record, 312, 8);

FREEZE_SIZE(Control, 16384, 64);
FREEZE_FIELD(Control, identity, 0, 1624);
FREEZE_FIELD(Control, lock, 1664, 8);
FREEZE_FIELD(Control, state, 1728, 320);
FREEZE_FIELD(Control, journal, 2048, 2048);
FREEZE_FIELD(Control, segments, 4096, 12288);

// ---- the token file ----
FREEZE_SIZE(TokenHeader, 32, 8);
FREEZE_FIELD(TokenHeader, magic, 0, 8);
FREEZE_FIELD(TokenHeader, id, 8, 16);
FREEZE_FIELD(TokenHeader, reserved, 24, 8);

FREEZE_SIZE(TokenRecord, 8, 4);
FREEZE_FIELD(TokenRecord, generation, 0, 4);
FREEZE_FIELD(TokenRecord, pid, 4, 4);

// ---- the bits of words with parts ----
FREEZE_VALUE(Ref::segment_bits, 8);
FREEZE_VALUE(Ref::at(0x12345678, 0x9a).word, 0x123456789a);
FREEZE_VALUE(Ref{0x123456789a}.position(), 0x12345678);
FREEZE_VALUE(Ref{0x123456789a}.segment(), 0x9a);

FREEZE_VALUE(Slot::used(0x12345678, 0xabcdef0000000000).word, 0xefabcdef12345678);
FREEZE_VALUE(Slot::tombstone().word, 0x7f00000100000000);
FREEZE_VALUE(Slot{0xefabcdef12345678}.entry(), 0x12345678);
FREEZE_VALUE(Slot{0xefabcdef12345678}.tag(), 0xabcdef);
FREEZE_VALUE(Slot{0xefabcdef12345678}.is_intact(), true);

FREEZE_VALUE(SlotsName::of(0x1234, 6).word, 0x123406);
FREEZE_VALUE(SlotsName{0x123406}.file(), 0x1234);
FREEZE_VALUE(SlotsName{0x123406}.bits(), 6);
FREEZE_VALUE(SlotsName{0x123406}.count(), 64);

FREEZE_VALUE(LockWord::number_mask, 0x00ffffff);
FREEZE_VALUE(LockWord::waiters, 0x40000000);
FREEZE_VALUE(LockWord::starving, 0x80000000);
FREEZE_VALUE(LockWord::owned(0x123456, 0x789abcde).word, 0x789abcde00123456);
FREEZE_VALUE(LockWord{0x789abcdec0123456}.number(), 0x123456);
FREEZE_VALUE(LockWord{0x789abcdec0123456}.generation(), 0x789abcde);
FREEZE_VALUE(LockWord{0x789abcdec0123456}.owner(), 0x789abcde00123456);

FREEZE_VALUE(Links::of(0x12345678, 0x9abcdef0).word, 0x9abcdef012345678);
FREEZE_VALUE(Links{0x9abcdef012345678}.previous(), 0x12345678);
FREEZE_VALUE(Links{0x9abcdef012345678}.next(), 0x9abcdef0);

FREEZE_VALUE(HeaderMark::of(0x12345678, true, 0x1abcdef0).word, 0x9abcdef092345678);
FREEZE_VALUE(HeaderMark{0x9abcdef092345678}.is_header(), true);
FREEZE_VALUE(HeaderMark{0x9abcdef092345678}.exotic_count(), 0x12345678);
FREEZE_VALUE(HeaderMark{0x9abcdef092345678}.is_listed(), true);
FREEZE_VALUE(HeaderMark{0x9abcdef092345678}.next(), 0x1abcdef0);
FREEZE_VALUE(HeaderCounts::of(0x12345678, 0x9abcdef0).word, 0x9abcdef012345678);
FREEZE_VALUE(HeaderCounts{0x9abcdef012345678}.keys(), 0x12345678);
FREEZE_VALUE(HeaderCounts{0x9abcdef012345678}.link_count(), 0x9abcdef0);

FREEZE_VALUE(Place::make(Place::Kind::entry, 0x123456).word, 0x0200000000123456);
FREEZE_VALUE(Place{0x0200000000123456}.kind(), 2);
FREEZE_VALUE(Place{0x0200000000123456}.offset(), 0x123456);

// ---- enums ----
static_assert(sizeof(RecordKind) == 2 && sizeof(Place::Kind) == 1 && sizeof(FileKind) == 1 && sizeof(Tag) == 1);
FREEZE_VALUE(RecordKind::value, 1);
FREEZE_VALUE(RecordKind::blob, 2);
FREEZE_VALUE(RecordKind::child, 3);
FREEZE_VALUE(Place::Kind::control, 1);
FREEZE_VALUE(Place::Kind::entry, 2);
FREEZE_VALUE(Place::Kind::slot, 3);
FREEZE_VALUE(Place::Kind::next_slot, 4);
FREEZE_VALUE(Place::Kind::unlink_file, 5);
FREEZE_VALUE(Place::Kind::unlink_blob, 6);
FREEZE_VALUE(Place::Kind::sweep_blobs, 7);
FREEZE_VALUE(FileKind::slots, 1);
FREEZE_VALUE(FileKind::entries, 2);
FREEZE_VALUE(FileKind::segment, 3);

// ---- what is not in layout.h and shared all the same: bytes of control that are locked, tags of encoded values ----
FREEZE_VALUE(attached_byte, 0);
FREEZE_VALUE(creator_byte, 1);
FREEZE_VALUE(Tag::none, 1);
FREEZE_VALUE(Tag::no, 2);
FREEZE_VALUE(Tag::yes, 3);
FREEZE_VALUE(Tag::int64, 4);
FREEZE_VALUE(Tag::big_int, 5);
FREEZE_VALUE(Tag::float64, 6);
FREEZE_VALUE(Tag::ascii, 7);
FREEZE_VALUE(Tag::text, 8);
FREEZE_VALUE(Tag::bytes, 9);
FREEZE_VALUE(Tag::tuple, 10);
FREEZE_VALUE(Tag::list, 11);
FREEZE_VALUE(Tag::dict, 12);
FREEZE_VALUE(Tag::frozen_set, 13);
FREEZE_VALUE(Tag::unique, 14);
FREEZE_VALUE(Tag::pickle, 15);
FREEZE_VALUE(Tag::foreign_bytes, 16);
FREEZE_VALUE(Tag::foreign_text, 17);
FREEZE_VALUE(Tag::pickle_with_buffers, 18);
FREEZE_VALUE(Tag::byte_array, 19);

}  // namespace ultradict
