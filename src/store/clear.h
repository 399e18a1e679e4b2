// SPDX-License-Identifier: Apache-2.0
// Clear, of the root: an empty table takes the place of the full one, in one change, at a cost that does not depend on
// the size.
//
// Of the two slot arrays in control one is not in use: it becomes the new one, so that clearing needs no memory. The
// table number is odd while the stores are under way; readers that meet an odd or another number look again. All nested
// dicts go with it.
#pragma once

#include "store/store.h"

namespace ultradict {

Fault clear(Store& store, LockHeld held);

}  // namespace ultradict
