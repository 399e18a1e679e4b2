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

// That the key of an entry's record is the entry's own; `key` is of the record, or a copy.
Fault check_hash(const Store& store, const Located& located, Bytes key);

}  // namespace ultradict
