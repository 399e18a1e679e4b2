// SPDX-License-Identifier: Apache-2.0
#include "store/new_value.h"

namespace ultradict {

NewValue::~NewValue() {
  if (!staged_.empty()) give_up();
}

Fault NewValue::stage() {
  if (!is_blob()) return {};
  if (Fault fault = store_.token->claim_if_forked()) return fault;
  const DictFiles& files = store_.regions.files();
  os::File file;
  const std::string name = DictFiles::staged(LockWord{store_.token->word()}, store_.staged_count.fetch_add(1));
  if (Fault fault = files.create_staged(name, &file)) return fault;
  staged_ = name;
  blob_.size = size_;
  Fault fault = take_memory(file);
  if (!fault) fault = files.write_blob(file, parts_, &blob_.checksum);
  if (fault) give_up();
  return fault;
}

// Under a bound the file is as long as it will be from the moment its memory was taken, for who counts.
Fault NewValue::take_memory(const os::File& file) {
  const MemoryBudget& budget = store_.regions.files().budget();
  if (!budget.is_bounded()) return {};
  const Entered entered(store_);
  if (entered.fault()) return entered.fault();
  if (Fault fault = budget.take(entered.held(), size_)) return fault;
  return os::truncate(file, size_);
}

void NewValue::give_up() {
  const DictFiles& files = store_.regions.files();
  const std::string name = std::exchange(staged_, {});
  if (!files.budget().is_bounded()) return files.remove(name);
  const Entered entered(store_);
  if (!entered.fault()) files.remove(entered.held(), name);
}

Fault NewValue::publish(LockHeld held, Word sequence) {
  if (staged_.empty()) return {};
  const Fault fault = store_.regions.files().publish_blob(held, staged_, sequence);
  if (!fault) staged_.clear();
  return fault;
}

}  // namespace ultradict
