// SPDX-License-Identifier: Apache-2.0
// Nested: dicts that are values of dicts. A nested dict is a header in the table (dict_header.h) and keys that carry
// its number: no file, no lock and no memory of its own.
//
// It lives as long as a record names it. Its header counts these links, in the very change that makes or kills such a
// record. One that was just made, or lost its last link, is loose. At the end of the operation all loose ones are
// settled: those without a link are doomed: gone for everybody at once, then emptied key by key, which may make others
// loose. Both lists are in control: where a process died, the next owner goes on.
#pragma once

#include "store/change.h"
#include "store/store.h"
#include "structures/record.h"

namespace ultradict {

inline ChildId id_of(const ChildValue& value) { return {value.number, value.born}; }

// ok, dict_gone. The root is always alive. Without the lock: a look-up that ended before counts.
Fault check_alive(Store& store, ChildId dict);

// Without the lock; zeros if it is gone.
struct NestedCounts {
  Word keys = 0;
  Word exotic = 0;
};
NestedCounts counts_of_nested(Store& store, ChildId dict);

// A new, empty one, loose.
Fault make_nested(Store& store, LockHeld held, ChildId* id);

// Whether a key of `dict` may refer to `child`: dict_gone, or would_cycle if `dict` lies in it.
Fault check_link(Store& store, LockHeld held, ChildId dict, ChildId child);

// Adds the stores by which `now` links a nested dict, and `old` does no more. Either may be null.
Fault change_links(Store& store, LockHeld held, Change& change, const RecordView* now, const RecordView* old);

// Deletes its keys one by one; readers may see it half empty.
Fault empty_nested(Store& store, LockHeld held, ChildId dict);

// Frees what no key refers to, unless children are being built; a fault leaves the rest to the next owner.
Fault settle_nested(Store& store, LockHeld held);

// Whatever a dead owner left of all this.
Fault recover_nested(Store& store, LockHeld held);

}  // namespace ultradict
