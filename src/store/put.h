// SPDX-License-Identifier: Apache-2.0
// Put: a whole write as a caller asks for it: large values are staged, the lock is taken, the change is made. When
// memory is full, it is tried again after what dead writers left behind was removed and segments were emptied, and once
// more after free segments gave their files back; each only if that gained anything.
#pragma once

#include <memory>
#include <span>

#include "store/new_value.h"
#include "store/store.h"

namespace ultradict {

Fault put_key(Store& store, ChildId dict, const Key& key, Bytes value, Sighting* written);
Fault put_child(Store& store, ChildId dict, const Key& key, ChildId child, Sighting* written);
// A nested dict that no key refers to yet.
Fault make_child(Store& store, ChildId* child);
Fault put_seen(Store& store, Sighting* seen, Bytes value);
// Small values only; lock_busy if the lock is not free now, or room must be made by more than a write does; try_put_key
// also if a key of the dict is exotic.
Fault try_put_key(Store& store, ChildId dict, const Key& key, Bytes value, Sighting* written);
Fault try_put_seen(Store& store, Sighting* seen, Bytes value);
// Writes a large value for put_staged_*: `*staged` is its NewValue.
Fault stage_value(Store& store, std::span<const Bytes> parts, std::unique_ptr<NewValue>* staged);
Fault put_staged_key(Store& store, ChildId dict, const Key& key, NewValue& staged, Sighting* written);
Fault put_staged_seen(Store& store, Sighting* seen, NewValue& staged);

Fault put_items(Store& store, ChildId dict, std::span<const Item> items);

}  // namespace ultradict
