// SPDX-License-Identifier: Apache-2.0
#include "store/memory_budget.h"

#include <cstring>

#include "os/directory.h"
#include "structures/record.h"

namespace ultradict {

Fault MemoryBudget::set_aside(unsigned mode) const {
  if (!is_bounded()) return {};
  Word needed = 0;
  if (Fault fault = sum_up(&needed)) return fault;
  if (needed > max_bytes_)
    return Fault{Code::invalid_argument, 0, "buffer_size does not fit into max_bytes", needed, max_bytes_};
  os::File file;
  if (Fault fault = os::create_file(path(), mode, &file)) return fault;
  return needed == max_bytes_ ? Fault::none() : os::allocate(file, 0, max_bytes_ - needed);
}

Fault MemoryBudget::open(os::File* file, Word* left) const {
  if (Fault fault = os::open_file(path(), file)) return fault;
  return os::file_size(*file, left);
}

Word MemoryBudget::left() const {
  os::File file;
  Word left = 0;
  return is_bounded() && !open(&file, &left) ? left : 0;
}

Fault MemoryBudget::take(LockHeld, Word size) const {
  if (!is_bounded()) return {};
  os::File file;
  Word left = 0;
  if (Fault fault = open(&file, &left)) return fault;
  const Word taken = round_up(size, page_size);
  if (taken > left) return Fault{Code::memory_full, 0, "max_bytes", taken, max_bytes_};
  return os::truncate(file, left - taken);
}

void MemoryBudget::give(LockHeld, Word size) const {
  if (!is_bounded()) return;
  os::File file;
  Word left = 0;
  // Without memory for it, because others were faster, there is less than there may be: allocations will tell.
  if (!open(&file, &left)) (void)os::allocate(file, left, round_up(size, page_size));
}

bool MemoryBudget::recount(LockHeld) const {
  if (!is_bounded()) return false;
  os::File file;
  Word left = 0;
  Word needed = 0;
  if (open(&file, &left) || sum_up(&needed)) return false;
  const Word should = needed < max_bytes_ ? max_bytes_ - needed : 0;
  if (should < left) return (void)os::truncate(file, should), false;
  return should > left && !os::allocate(file, left, should - left);
}

Fault MemoryBudget::sum_up(Word* used) const {
  *used = 0;
  Fault first;
  const Fault listing = os::list_directory(directory_.c_str(), [&](const char* found) {
    if (std::strcmp(found, name) == 0) return;
    os::Size size = 0;
    const Fault fault = os::file_size(os::Path(directory_, found), &size);
    *used += round_up(size, page_size);
    // A staged file may go meanwhile: its writer gives it back afterwards, and waits for the lock to do so.
    if (fault && fault.code != Code::not_found && !first) first = fault;
  });
  return listing ? listing : first;
}

}  // namespace ultradict
