// SPDX-License-Identifier: Apache-2.0
// The structs of the layout with the meaning of each field, in the order in which the document shows them.
#include "layout_structs.h"

#include "layout.h"

namespace ultradict {

#define FIELD(field, meaning) \
  { #field, offsetof(Type, field), sizeof(Type::field), meaning }

namespace {

StructMeaning entry_struct() {
  using Type = Entry;
  return {
      "Entry",
      sizeof(Type),
      "What a key has from its insertion to its deletion; a free one has ref = born = 0. The header of a nested dict "
      "is an entry with a HeaderMark for ref, HeaderCounts for hash, and the ends of its chain for links.",
      {
          FIELD(ref, "Ref of the record with the current value; 0 = none. Storing it shows a change to readers"),
          FIELD(hash, "keyed hash of the canonical key"),
          FIELD(born, "sequence of the insertion; 0 = free"),
          FIELD(links, "Links of the chain; in the free list, next is the next free entry"),
      }};
}

StructMeaning record_header_struct() {
  using Type = RecordHeader;
  return {"RecordHeader",
          sizeof(Type),
          "Then follow the canonical key, the face and the value, padded with zeros to 8 bytes.",
          {
              FIELD(ref, "its own Ref"),
              FIELD(sequence, "position where it was first written; a moved record keeps it"),
              FIELD(entry, "entry that names it, if it is live"),
              FIELD(dict_id, "header of the dict that the key belongs to; 0 = the root"),
              FIELD(checksum, "low half of XXH3 over the record but for `ref`, with this field 0"),
              FIELD(key_size, "bytes of the canonical key"),
              FIELD(face_size, "bytes of the face"),
              FIELD(value_size, "bytes of the value as in the record"),
              FIELD(kind_and_flags, "RecordKind in the low byte; 0x100: the key is exotic"),
          }};
}

StructMeaning blob_value_struct() {
  using Type = BlobValue;
  return {"BlobValue",
          sizeof(Type),
          "The value of a record whose bytes are in a file of their own.",
          {
              FIELD(size, "bytes of the blob"),
              FIELD(checksum, "XXH3 of the blob"),
          }};
}

StructMeaning child_value_struct() {
  using Type = ChildValue;
  return {"ChildValue",
          sizeof(Type),
          "The value of a record that is a nested dict.",
          {
              FIELD(number, "entry that is its header"),
              FIELD(born, "of the header"),
          }};
}

StructMeaning segment_descriptor_struct() {
  using Type = SegmentDescriptor;
  return {"SegmentDescriptor",
          sizeof(Type),
          "One of the segments of the log.",
          {
              FIELD(first, "position of the first record of the current use"),
              FIELD(file, "number of the file; 0 = none, 1 = inside control"),
              FIELD(size, "bytes allocated"),
              FIELD(capacity, "bytes it may grow to"),
              FIELD(filled, "bytes written when it was closed; 0 = tail or free"),
              FIELD(live, "bytes of records that entries name"),
          }};
}

StructMeaning journal_store_struct() {
  using Type = JournalStore;
  return {"JournalStore",
          sizeof(Type),
          "One store of a change.",
          {
              FIELD(place, "Place that is stored to"),
              FIELD(value, "what is stored there"),
          }};
}

StructMeaning journal_struct() {
  using Type = Journal;
  return {"Journal",
          sizeof(Type),
          "The stores of the change under way.",
          {
              FIELD(word, "number of stores, their checksum << 32; 0 = no change is under way. Storing it commits"),
              FIELD(reserved, "0"),
              FIELD(stores, "in the order in which they are applied"),
          }};
}

StructMeaning identity_struct() {
  using Type = Identity;
  return {"Identity",
          sizeof(Type),
          "Constant from the moment the name appears.",
          {
              FIELD(magic, "`ltraDict`"),
              FIELD(format_version, "of this layout"),
              FIELD(size, "bytes of the control file"),
              FIELD(id, "random; the name of the dict's directory"),
              FIELD(token_id, "of the token file whose numbers the lock uses"),
              FIELD(buffer_size, "option of the creator"),
              FIELD(full_dump_size, "option of the creator"),
              FIELD(max_bytes, "option of the creator; 0 = no bound"),
              FIELD(flags, "1: auto_unlink"),
              FIELD(mode, "permission bits of every file"),
              FIELD(slots_offset, "of the first slot array in this file; the second follows"),
              FIELD(entries_offset, "of entry 0 in this file"),
              FIELD(segments_offset, "of segment 0 in this file; segment 1 follows"),
              FIELD(segment_size, "bytes of each of the two"),
              FIELD(name_size, "bytes of the name"),
              FIELD(attributes_size, "bytes of the attributes"),
              FIELD(checksum, "XXH3 of this struct with this field 0"),
              FIELD(name, "name of the dict"),
              FIELD(attributes, "opaque to the engine"),
              FIELD(secret, "of the keyed hash"),
          }};
}

StructMeaning state_struct() {
  using Type = State;
  return {"State",
          sizeof(Type),
          "What changes with every write.",
          {
              FIELD(table_number, "grows when slots and entries are replaced as a whole; odd while that is under way"),
              FIELD(slots, "SlotsName of the current slot array"),
              FIELD(slots_used, "slots that are not empty, tombstones included"),
              FIELD(entries_used, "entries ever used, entry 0 included"),
              FIELD(free_entry, "head of the free list; 0 = none"),
              FIELD(entries_size, "entries allocated"),
              FIELD(ends, "Links: first and last entry in insertion order"),
              FIELD(count, "keys"),
              FIELD(exotic_count, "exotic keys"),
              FIELD(tail, "Ref of the next record"),
              FIELD(live_size, "bytes of live records"),
              FIELD(closed_size, "bytes filled in closed segments"),
              FIELD(content_size, "bytes of live keys and values, blobs included"),
              FIELD(stream, "update_stream_position, full_dump_counter << 32"),
              FIELD(blob_count, "live blobs"),
              FIELD(blob_size, "bytes of live blobs"),
              FIELD(cleared_at, "position of the last clear"),
              FIELD(next_slots, "SlotsName of the slot array being built; 0 = none"),
              FIELD(next_slots_size, "bytes allocated for it"),
              FIELD(next_slots_used, "slots of it that are not empty"),
              FIELD(next_entry, "entries below it are in the new array"),
              FIELD(batch_begin, "position of the first record of the batch being written; 0 = none"),
              FIELD(pending, "Ref of the first record that is committed and not yet applied; 0 = none"),
              FIELD(pending_end, "position behind the last of them"),
              FIELD(repair, "1: a dead owner left files or blobs that are not cleared away yet"),
              FIELD(victim, "segment being emptied + 1; 0 = none"),
              FIELD(victim_offset, "bytes of it that were looked at"),
              FIELD(next_file, "number for the next file"),
              FIELD(moved_records, "by cleaning, since creation"),
              FIELD(recoveries, "times an owner found a dead one before it"),
              FIELD(fullest, "upper bound of the live bytes of the fullest closed segment"),
              FIELD(spare, "bytes that the free segments take of the records of one segment"),
              FIELD(removals, "changes that removed mapped files"),
              FIELD(nested_count, "keys of nested dicts"),
              FIELD(dict_count, "nested dicts"),
              FIELD(dicts_made, "nested dicts that were ever made"),
              FIELD(loose, "first header of nested dicts without a link yet, or no more; 0 = none"),
              FIELD(doomed, "first header of nested dicts whose keys are being deleted; 0 = none"),
              FIELD(emptying, "header of the nested dict that is being cleared; 0 = none"),
              FIELD(largest_record, "upper bound of the size of records longer than a page, since the last clear"),
          }};
}

StructMeaning control_struct() {
  using Type = Control;
  return {"Control",
          sizeof(Type),
          "The beginning of the control file; slots, entries and segments follow as Identity says.",
          {
              FIELD(identity, "Identity"),
              FIELD(lock, "LockWord"),
              FIELD(state, "State"),
              FIELD(journal, "Journal"),
              FIELD(segments, "SegmentDescriptor of each segment"),
          }};
}

StructMeaning token_header_struct() {
  using Type = TokenHeader;
  return {"TokenHeader",
          sizeof(Type),
          "The beginning of the token file; the TokenRecord of number n is at 32 + 8 n.",
          {
              FIELD(magic, "`\\0udtoken`"),
              FIELD(id, "random"),
              FIELD(reserved, "0"),
          }};
}

StructMeaning token_record_struct() {
  using Type = TokenRecord;
  return {"TokenRecord",
          sizeof(Type),
          "Of one participant; byte n of the file is locked by the living participant n.",
          {
              FIELD(generation, "how often the number was claimed"),
              FIELD(pid, "of the process, as it saw itself; for messages only"),
          }};
}

}  // namespace

std::vector<StructMeaning> layout_structs() {
  return {entry_struct(),       record_header_struct(),      blob_value_struct(),
          child_value_struct(), segment_descriptor_struct(), journal_store_struct(),
          journal_struct(),     identity_struct(),           state_struct(),
          control_struct(),     token_header_struct(),       token_record_struct()};
}

}  // namespace ultradict
