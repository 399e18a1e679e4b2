// SPDX-License-Identifier: Apache-2.0
// DictHeader: where a dict keeps the ends of its chain and its counts: the root in State, a nested dict in its header
// entry (layout.h, HeaderMark). Under the lock.
#pragma once

#include "store/change.h"
#include "store/store.h"
#include "store/table.h"

namespace ultradict {

class DictHeader {
 public:
  // Of the dict whose keys carry this number; damaged if there is no header there.
  static Fault find(Store& store, LockHeld held, Word number, DictHeader* found) {
    found->state_ = &store.state();
    found->number_ = number;
    return number == 0 ? Fault::none() : find_nested(store, held, number, found);
  }
  // The same where the root would be damage, too.
  static Fault find_nested(Store& store, LockHeld, Word number, DictHeader* found);

  Word number() const { return number_; }
  bool is_root() const { return number_ == 0; }
  Links ends() const { return Links{is_root() ? state_->ends : entry_->links}; }
  Word count() const { return is_root() ? state_->count : counts().keys(); }
  Word exotic_count() const { return is_root() ? state_->exotic_count : mark().exotic_count(); }
  // Of a nested dict.
  Word born() const { return entry_->born; }
  Word link_count() const { return counts().link_count(); }
  HeaderMark mark() const { return HeaderMark{entry_->ref}; }

  void set_ends(Change& change, Links ends) const {
    if (is_root()) return change.set(state_->ends, ends.word);
    change.set(number_, *entry_, Change::Field::links, ends.word);
  }
  // So many keys more, `exotic` of them exotic; one less is ~0.
  void count_keys(Change& change, Word keys, Word exotic) const {
    if (!is_root()) return count_nested_keys(change, keys, exotic);
    change.set(state_->count, state_->count + keys);
    if (exotic != 0) change.set(state_->exotic_count, state_->exotic_count + exotic);
  }
  void set_link_count(Change& change, Word link_count) const {
    change.set(number_, *entry_, Change::Field::hash, HeaderCounts::of(counts().keys(), link_count).word);
  }
  void set_mark(Change& change, HeaderMark mark) const { change.set(number_, *entry_, Change::Field::ref, mark.word); }
  void set_born(Change& change, Word born) const { change.set(number_, *entry_, Change::Field::born, born); }
  // The entry goes back to the free ones.
  void give_back(Change& change) const {
    change.set(number_, *entry_, Change::Field::hash, being_freed);  // its counts are no time either
    change.set(number_, *entry_, Change::Field::ref, 0);
    give_entry(change, *state_, number_, *entry_, state_->stream);
    change.set(state_->dict_count, state_->dict_count - 1);
  }

 private:
  void count_nested_keys(Change& change, Word keys, Word exotic) const;
  HeaderCounts counts() const { return HeaderCounts{entry_->hash}; }

  State* state_ = nullptr;
  Word number_ = 0;
  Entry* entry_ = nullptr;
};

}  // namespace ultradict
