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
Fault locate_seen(Store& store, LockHeld held, const Sighting& seen, Located* located);
Fault record_in_place(Store& store, LockHeld held, Ref ref, RecordView* view);

// Before face and flags of a record go into another one, whose checksum is then right, or its blob goes: its own
// checksum, where there is more than a key, which was compared, or its hash.
inline Fault check_kept(const RecordView& view) {
  const bool is_mere_value = view.header.face_size == 0 && view.header.kind_and_flags == Word(RecordKind::value);
  return is_mere_value ? Fault::none() : check_in_place(view);
}

}  // namespace ultradict
