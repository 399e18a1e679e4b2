// SPDX-License-Identifier: Apache-2.0
// What the files that implement include/ultradict/dict.h have in common.
#pragma once

#include <string>

#include "store/report.h"
#include "store/retry.h"
#include "store/store.h"
#include "ultradict/dict.h"

namespace ultradict {

// What a handle knows beyond its Store.
struct Dict::Handle {
  std::string name;
  Word creator = 0;  // token word of the process whose handle created the dict; 0: attached
};

inline Fault closed() { return Fault::of(Code::closed); }

// Runs a write under the lock.
template <typename Write>
Fault locked(Store* store, const Write& write) {
  return store ? under_lock(*store, [&](LockHeld held) { return write(*store, held); }) : closed();
}

// A look at a large value, which may be overwritten before its file is opened: then one more, and in the end under the
// lock. Without a ReadGuard around it: to copy the value may take long.
template <typename Look>
Status look_until_opened(Store& store, const std::string& name, const Look& look) {
  for (int tries = 0; tries < retries_max; ++tries) {
    Status status = look();
    if (status.code() != Code::changed) return status;
  }
  const Entered entered(store, Wait{reader_wait_ns});
  if (entered.fault()) return report(entered.fault(), name);
  Status status = look();
  if (status.code() != Code::changed) return status;
  return report(Fault::damaged("a large value under the lock is not consistent"), name);
}

}  // namespace ultradict
