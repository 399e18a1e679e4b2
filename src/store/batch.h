// SPDX-License-Identifier: Apache-2.0
// Batch: many keys in one commit.
//
// All records are appended first; nobody can see them. One change then names the run as pending (pending.h): from that
// moment on the batch has happened.
#pragma once

#include <span>
#include <vector>

#include "store/new_value.h"
#include "store/pending.h"
#include "store/store.h"

namespace ultradict {

// Keys that are all different, each with the item that has its value.
struct BatchItems {
  std::span<const Item> items;
  std::vector<KnownKey> keys = {};     // `entry` is found under the lock
  std::vector<NewValue*> staged = {};  // of large values; null: of a small one. Empty: of small ones alone
};

Fault put_batch(Store& store, LockHeld held, ChildId dict, BatchItems& batch);

// Applies what is pending.
Fault finish_batch(Store& store, LockHeld held, std::span<const KnownKey> known = {});
// Of a batch that was begun and not committed: what was appended is dead from birth, its blobs go.
Fault abandon_batch(Store& store, LockHeld held);

}  // namespace ultradict
