// SPDX-License-Identifier: Apache-2.0
// Batch: many keys in one commit.
//
// All records are appended first; nobody can see them. One change then names the run as pending: from that moment on
// the batch has happened. Each record is applied by a change of its own that also shortens the run; whoever owns the
// lock after a dead writer goes on where it stopped.
#pragma once

#include <span>

#include "store/store.h"
#include "store/writer.h"

namespace ultradict {

// `keys` are all different; values[i] belongs to keys[i].
Fault put_batch(Store& store, LockHeld held, ChildId dict, std::span<const Key> keys,
                std::span<NewValue* const> values);

// Applies what is pending.
Fault finish_batch(Store& store, LockHeld held);
// Of a batch that was begun and not committed: what was appended is dead from birth, its blobs go.
void abandon_batch(Store& store, LockHeld held);

}  // namespace ultradict
