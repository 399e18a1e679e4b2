// SPDX-License-Identifier: Apache-2.0
// Retry: a look without the lock counts if nothing changed under it. Otherwise it is taken again and again, and in
// the end with the lock.
//
// Who has the lock may wait for something that the looking thread keeps, as Python's threads do for the GIL. But while
// it waits nobody writes, and a look without the lock succeeds: so one is tried again after every short wait.
#pragma once

#include <algorithm>

#include "store/store.h"

namespace ultradict {

inline constexpr int retries_max = 64;
inline constexpr std::int64_t reader_first_wait_ns = 1'000'000;  // then twice as long each time, reader_wait_ns in all

template <typename Look>
Fault look_without_lock(Store& store, const Look& look) {
  const ReadGuard guard(store.regions);
  for (int tries = 0; tries < retries_max; ++tries) {
    const Fault fault = look();
    if (fault.code != Code::changed) return fault;
  }
  return Fault::of(Code::changed);
}

// `look` answers changed if it does not count; what it answers under the lock is final.
template <typename Look>
Fault look_until_consistent(Store& store, const Look& look) {
  std::int64_t waited = 0;
  for (std::int64_t wait = reader_first_wait_ns;; wait = std::min(2 * wait, reader_wait_ns - waited)) {
    const Fault fault = look_without_lock(store, look);
    if (fault.code != Code::changed) return fault;
    const Entered entered(store, Wait{wait});
    if (!entered.fault()) {
      const ReadGuard guard(store.regions);
      return look();
    }
    waited += wait;
    if (entered.fault().code != Code::lock_timeout || waited >= reader_wait_ns) return entered.fault();
  }
}

}  // namespace ultradict
