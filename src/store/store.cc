// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include "store/life.h"
#include "store/recovery.h"

namespace ultradict {

Store::~Store() { leave_dict(*this); }

Fault Store::enter(const Wait& wait) {
  if (Fault fault = lock.acquire(wait)) return fault;
  if (lock.depth() > 1) return {};
  const bool after_death = lock.took_from_the_dead();
  if (!after_death && !has_unfinished_work()) [[likely]]
    return {};
  const Fault fault = recover(*this, lock.held(), after_death);
  if (fault) (void)lock.release();
  return fault;
}

}  // namespace ultradict
