// SPDX-License-Identifier: Apache-2.0
// Inspect: figures, and the full check: every invariant of the shared bytes by name.
#pragma once

#include "base/function_ref.h"
#include "store/store.h"
#include "ultradict/inspect.h"

namespace ultradict {

Stats stats_of(const Store& store);

// Calls `report` for each invariant that does not hold, with the numbers that show it. Only under the lock.
using Report = FunctionRef<void(const Fault& broken)>;
// `blobs_too`: their bytes are read and compared with their checksums.
void check_all(Store& store, LockHeld held, bool blobs_too, Report report);

// The first of them, or none; without the bytes of blobs.
Fault first_damage(Store& store, LockHeld held);

}  // namespace ultradict
