// SPDX-License-Identifier: Apache-2.0
// Pending: the records of a committed batch, which are applied in their order: new keys several in a change, new
// values of keys each in a change of its own. Every change also shortens the run; whoever owns the lock after a dead
// writer goes on where it stopped.
#pragma once

#include <span>

#include "store/store.h"
#include "structures/record.h"

namespace ultradict {

// What the writer of a record found out about its key.
struct KnownKey {
  Word hash = 0;
  std::uint32_t first = 0;  // item that has it
  std::uint32_t item = 0;   // that has its value: the last
  std::uint32_t entry = 0;  // 0: the key is new
};

class Pending {
 public:
  // `known`: of each record, or empty if nobody knows.
  Pending(Store& store, LockHeld held, std::span<const KnownKey> known) : store_(store), held_(held), known_(known) {}

  Fault apply_all();

 private:
  struct Look {
    RecordView record;
    Ref next;
    Word hash = 0;
    Word entry = 0;
    bool is_applied = false;  // cleaning moved a record there
  };

  Fault apply_some();
  Fault overwrite(const Look& look);
  Fault look_at(Ref ref, Look* look) const;
  Fault find_key(Look* look) const;
  Fault find_next(Ref ref, Word size, Ref* next) const;
  void prefetch() const;

  Store& store_;
  LockHeld held_;
  std::span<const KnownKey> known_;
  std::size_t next_known_ = 0;
};

}  // namespace ultradict
