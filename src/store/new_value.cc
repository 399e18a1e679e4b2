// SPDX-License-Identifier: Apache-2.0
#include "store/new_value.h"

namespace ultradict {

NewValue::~NewValue() {
  if (!staged_.empty()) store_.regions.files().remove(staged_);
}

Fault NewValue::stage() {
  if (!is_blob()) return {};
  if (Fault fault = store_.token->claim_if_forked()) return fault;
  staged_ = DictFiles::staged(LockWord{store_.token->word()}, store_.staged_count.fetch_add(1));
  blob_.size = size_;
  return store_.regions.files().stage_blob(staged_, parts_, &blob_.checksum);
}

Fault NewValue::publish(LockHeld held, Word sequence) {
  if (staged_.empty()) return {};
  const Fault fault = store_.regions.files().publish_blob(held, staged_, sequence);
  if (!fault) staged_.clear();
  return fault;
}

}  // namespace ultradict
