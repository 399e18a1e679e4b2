// SPDX-License-Identifier: Apache-2.0
// Writer: put and erase of one key, each one change (change.h), under the lock.
#pragma once

#include "store/change.h"
#include "store/locate.h"
#include "store/log.h"
#include "store/new_value.h"
#include "store/store.h"

namespace ultradict {

// Writes a record where there is room; nobody can see it before a change names it.
void write_new_record(const Room& room, Word dict, Word entry, const Key& key, const NewValue& value, RecordView* now);

// Whether the key is expected to be new. Then all but its slot is prepared before the slots are asked, whose cache
// lines come from far away and are on their way meanwhile.
enum class Expect : std::uint8_t { either, new_key };
// `hash` is that of the key in this dict.
Fault put(Store& store, LockHeld held, ChildId dict, const Key& key, Word hash, NewValue& value, Sighting* written,
          Expect expect = Expect::either);
Fault put_at(Store& store, LockHeld held, Sighting* seen, NewValue& value);
// The same for a value of at most blob_size_min bytes; shortest where it takes the place of another one.
Fault put_small(Store& store, LockHeld held, ChildId dict, const Key& key, Word hash, Bytes value, Sighting* written);
Fault put_small_at(Store& store, LockHeld held, Sighting* seen, Bytes value);
Fault erase(Store& store, LockHeld held, ChildId dict, Bytes key);
Fault erase_at(Store& store, LockHeld held, const Sighting& seen);

// Whether the stream counters count a deletion: not that of a key whose whole dict goes.
enum class Streamed : std::uint8_t { no, yes };
// Deletes the key; nested dicts that lose their last link by it stay loose.
Fault remove_entry(Store& store, LockHeld held, const Located& old, Streamed streamed);

// The stores, but for the tail, that make a record in the log the new value of its entry.
Fault apply_overwrite(Store& store, LockHeld held, Change& change, const Located& old, const RecordView& now);

}  // namespace ultradict
