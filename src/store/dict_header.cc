// SPDX-License-Identifier: Apache-2.0
#include "store/dict_header.h"

namespace ultradict {

Fault DictHeader::find_nested(Store& store, LockHeld, Word number, DictHeader* found) {
  State& state = store.state();
  found->state_ = &state;
  found->number_ = number;
  if (number == 0 || number >= state.entries_used)
    return Fault::damaged("nested dict: header", number, state.entries_used);
  if (Fault fault = store.regions.entry(state.table_number, number, &found->entry_)) return fault;
  return found->mark().is_header() ? Fault::none() : Fault::damaged("nested dict: no header", number);
}

void DictHeader::count_nested_keys(Change& change, Word keys, Word exotic) const {
  change.set(state_->nested_count, state_->nested_count + keys);
  const HeaderCounts now = counts();
  change.set(number_, *entry_, Change::Field::hash,
             HeaderCounts::of((now.keys() + keys) & 0xffffffffU, now.link_count()).word);
  if (exotic == 0) return;
  const HeaderMark old = mark();
  const Word count = (old.exotic_count() + exotic) & HeaderMark::exotic_mask;
  set_mark(change, HeaderMark::of(count, old.is_listed(), old.next()));
}

}  // namespace ultradict
