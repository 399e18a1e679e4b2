// SPDX-License-Identifier: Apache-2.0
// Insertions: several new keys of one dict in one change. What each of them finds as the one before would have left it
// (the end of the chain, the sums, the free entries) is kept here until all are known.
#pragma once

#include "store/dict_header.h"
#include "store/table.h"
#include "structures/record.h"

namespace ultradict {

class Insertions {
 public:
  Insertions(Store& store, LockHeld held) : store_(store), held_(held), free_(store.state()) {}

  bool empty() const { return count_ == 0; }
  // Takes in a record that lies in the log, of a key that is not there. `*taken` is false if it has to wait for the
  // next change: this one is full, or the record does not go with those before it. One whose value is a nested dict
  // goes alone: another could be a link to the same dict.
  Fault add(const RecordView& now, Word hash, bool* taken);
  // Adds the stores that insert all of them, but for the tail.
  Fault finish(Change& change) const;

 private:
  static constexpr Word count_max = 16;
  static_assert(count_max * 6 + 24 < stores_max);

  struct NewKey {
    FreeEntry free;
    Word hash;
    Word ref;
    Word born;
    SlotPlaces places;
  };

  bool goes_with_others(const RecordView& now) const;
  bool is_taken(const SlotPlaces& places) const;
  void sum_up(const RecordView& now);
  Fault chain(Change& change) const;
  void set_sums(Change& change) const;
  void show(Change& change) const;

  Store& store_;
  LockHeld held_;
  FreeEntries free_;
  SlotArrays arrays_;
  DictHeader header_;
  NewKey keys_[count_max];
  Word count_ = 0;
  RecordView link_;  // to a nested dict: of the only one
  Word segment_ = 0;
  Word stream_ = 0;
  Word exotic_count_ = 0;
  Word size_ = 0;
  Word content_size_ = 0;
  Word blob_count_ = 0;
  Word blob_size_ = 0;
};

}  // namespace ultradict
