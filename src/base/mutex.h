// SPDX-License-Identifier: Apache-2.0
// Mutex: for threads of one process, held while shared memory is looked at. In the test build that runs threads one at
// a time (interleaving.h) it must not stop the one whose turn it is.
#pragma once

#include <mutex>

#ifdef ULTRADICT_INTERLEAVE
#include "base/interleaving.h"
#endif

namespace ultradict {

#ifdef ULTRADICT_INTERLEAVE
using Mutex = interleaving::Mutex;
#else
using Mutex = std::mutex;
#endif

}  // namespace ultradict
