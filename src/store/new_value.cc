// SPDX-License-Identifier: Apache-2.0
#include "store/new_value.h"

#include <algorithm>
#include <atomic>

#include "base/hash.h"
#include "store/recovery.h"

namespace ultradict {

namespace {

// What is allocated under the lock at a time: half a millisecond, without page faults.
constexpr Word part_size = 4 * allocation_step;

// Of the process: it may have a dict open twice, once to no use any more.
std::atomic<Word> staged_count = 0;

// What writers leave that are killed here, the next ones look for. To list the files costs as much as there are: so
// each value pays for so many of them as its size is worth, by a chance that is the same for many short processes and
// for a long one. What dead writers have staged is to be expected to take an eighth of the content, and two megabytes.
constexpr Word size_per_file_listed = 8 * 1024;
constexpr Word files_listed_min = 256;  // to open the directory costs as much

bool is_turn_to_sweep(const Store& store, Word number, Word size) {
  const Word files = files_listed_min + shared::load_relaxed(store.state().blob_size) / blob_size_min;
  const Word turn[] = {store.token->word(), number};
  return checksum64(turn, sizeof turn) % files < size / size_per_file_listed;
}

}  // namespace

NewValue::~NewValue() {
  if (!staged_.empty()) give_up();
}

Fault NewValue::stage() {
  if (!is_blob()) return {};
  // What no content has room for must not use up memory first, nor be taken for a lack of it.
  const Word bound = store_.control().identity.full_dump_size;
  if (bound != 0 && size_ > bound) return Fault{Code::content_full, 0, "full_dump_size", size_, bound};
  if (Fault fault = store_.token->claim_if_forked()) return fault;
  const Word number = staged_count.fetch_add(1);
  if (is_turn_to_sweep(store_, number, size_)) sweep_staged(store_);
  const DictFiles& files = store_.regions.files();
  os::File file;
  const os::FileName name = DictFiles::staged(LockWord{store_.token->word()}, number);
  if (Fault fault = files.create_staged(name, &file)) return fault;
  staged_ = name;
  writer_ = store_.token->word();
  blob_.size = size_;
  Fault fault = take_memory(file);
  if (!fault) fault = files.write_blob(file, parts_, &blob_.checksum);
  if (fault) give_up();
  return fault;
}

// Under a bound the file has all its memory before its bytes are written, which takes long: others could fill it. It is
// taken in parts, so that others have the lock in between, and the file is never longer than its memory, for who
// counts. Who finds too little left gives back what it took before anybody else looks: of several at once one finds
// room.
Fault NewValue::take_memory(const os::File& file) {
  const MemoryBudget& budget = store_.regions.files().budget();
  if (!budget.is_bounded()) return {};
  if (Fault fault = os::check_size_limit(size_)) return fault;
  for (Word from = 0; from < size_; from += part_size) {
    const Entered entered(store_);
    if (entered.fault()) return entered.fault();
    Fault fault = budget.check_left(entered.held(), size_ - from);
    if (!fault) fault = budget.allocate(entered.held(), file, from, std::min(from + part_size, size_));
    if (!fault) continue;
    budget.take_back(entered.held(), file, 0);
    return fault;
  }
  return {};
}

// A child of fork has a copy of what its parent staged.
bool NewValue::is_own() const { return writer_ == store_.token->word(); }

void NewValue::give_up() {
  const DictFiles& files = store_.regions.files();
  const os::FileName name = std::exchange(staged_, {});
  if (!is_own()) return;
  if (!files.budget().is_bounded()) return files.remove(name);
  const Entered entered(store_);
  if (!entered.fault()) return files.remove_staged(entered.held(), name);
  // Its memory is not lost: whoever counts the budget anew finds it.
  files.remove(name);
}

Fault NewValue::publish(LockHeld held, Word sequence) {
  if (!is_blob()) return {};
  if (staged_.empty() || !is_own()) return Fault::of(Code::invalid_argument, "a large value that was staged elsewhere");
  const Fault fault = store_.regions.files().publish_blob(held, staged_, sequence);
  if (!fault) staged_ = {};
  return fault;
}

}  // namespace ultradict
