// SPDX-License-Identifier: Apache-2.0
// What the files that implement include/ultradict/dict.h have in common.
#pragma once

#include <string>

#include "store/report.h"
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
  if (!store) return closed();
  const Entered entered(*store);
  return entered.fault() ? entered.fault() : write(*store, entered.held());
}

}  // namespace ultradict
