// SPDX-License-Identifier: Apache-2.0
// Locate: the entry of a key and its record, in place, under the lock.
#pragma once

#include "base/lock_held.h"
#include "store/store.h"
#include "structures/record.h"

namespace ultradict {

// An entry that belongs to a key, with its current record in place.
struct Located {
  Word number = 0;  // 0: the key is not there
  Entry* entry = nullptr;
  RecordView view;
};

Fault locate(Store& store, LockHeld held, Word dict, Bytes key, Word hash, Located* located);
// Of an entry that belongs to a key.
Fault locate_entry(Store& store, LockHeld held, Word number, Located* located);
// What lies in the record may be of any key: check_hash, or a KeptKey.
Fault locate_seen(Store& store, LockHeld held, const Sighting& seen, Located* located);
Fault record_in_place(Store& store, LockHeld held, Ref ref, RecordView* view);

Fault check_length_carefully(Store& store, const RecordView& view);
// That a record is as long as it says: behind it is the next one, which says where it lies, or nothing. What goes is
// taken off the live bytes of its segment, and a segment without any is used again.
[[gnu::always_inline]] inline Fault check_length(Store& store, const RecordView& view) {
  const Ref ref{view.header.ref};
  const Ref next = Ref::at(ref.position() + view.size() / unit_size, ref.segment());
  Word end = 0;
  const char* const base = store.regions.known_segment(
      ref.segment(), shared::load_relaxed(store.control().segments[ref.segment()].file), &end);
  const char* const behind = view.bytes + view.size();
  const bool is_mapped = base && behind + sizeof(Word) <= base + end;
  if (is_mapped && shared::load_relaxed(*reinterpret_cast<const Word*>(behind)) == next.word) [[likely]]
    return {};
  return check_length_carefully(store, view);
}
// That the key of an entry's record is the entry's own; `key` is of the record, or a copy.
Fault check_hash(const Store& store, const Located& located, Bytes key);

}  // namespace ultradict
