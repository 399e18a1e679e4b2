// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include "store/life.h"
#include "store/recovery.h"

namespace ultradict {

void Store::note_recovery() {
  recovered_from.store(lock.dead_pid(), std::memory_order_relaxed);
  recovered_by.store(token->word(), std::memory_order_release);
}

void Store::leave_to_repair() {
  if (lock.is_held()) shared::store(state().repair, 1);
}

void Store::give_lock_back_for_good() {
  const bool in_midst = builds_children || poison() || !lock.is_held();
  if (lock.is_owned_here() && in_midst) shared::store(state().repair, 1);
  lock.leave_for_good();
}

Store::~Store() { leave_dict(*this); }

Fault Store::enter(const Wait& wait) {
  if (poison()) [[unlikely]]
    return poison().fault();
  if (Fault fault = lock.acquire(wait)) return fault;
  if (lock.depth() == 1 && lock.took_from_the_dead()) {
    shared::store(state().repair, 1);
    builds_children = false;  // that was a thread of this process, which has ended
  }
  if (!has_unfinished_work()) [[likely]]
    return {};
  const bool repairs = state().repair != 0;
  const Fault fault = recover(*this, lock.held());
  if (fault) (void)lock.release();
  if (!fault && repairs) note_recovery();
  return fault;
}

}  // namespace ultradict
