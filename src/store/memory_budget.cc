// SPDX-License-Identifier: Apache-2.0
#include "store/memory_budget.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "os/directory.h"
#include "structures/record.h"

namespace ultradict {

namespace {

constexpr Word step_size = 64 * 1024;
constexpr int steps_lost_max = 4;  // in one move; then memory is full

Word pages(Word from, Word to) { return round_up(to, page_size) - round_up(from, page_size); }

// Allocates `size` bytes from `from` on, or as many as there is memory for: `*added`.
Fault allocate_what_is_there(const os::File& file, Word from, Word size, Word* added) {
  Fault fault;
  *added = 0;
  for (Word part = size; *added < size;) {
    part = std::min(part, size - *added);
    fault = os::allocate(file, from + *added, part);
    if (!fault) *added += part;
    if (fault && (fault.code != Code::memory_full || part <= page_size)) break;
    if (fault) part = round_up(part / 2, page_size);
  }
  return fault;
}

}  // namespace

Fault MemoryBudget::too_little(Word wanted) const {
  return Fault{Code::memory_full, 0, "max_bytes", wanted, max_bytes_};
}

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

Fault MemoryBudget::check_left(LockHeld, Word size) const {
  os::File file;
  Word left = 0;
  if (!is_bounded()) {
    const bool is_there = size <= os::free_space(directory_.c_str());
    return is_there ? Fault::none()
                    : Fault{Code::memory_full, ENOSPC, "the file system has less than is to be set aside", size};
  }
  if (Fault fault = open(&file, &left)) return fault;
  return size <= left ? Fault::none() : too_little(size);
}

// Memory that the file has beyond `from`, as a dead writer may have left it, has been taken already.
Fault MemoryBudget::allocate(LockHeld held, const os::File& file, Word from, Word to) const {
  if (!is_bounded()) return os::allocate(file, from, to - from);
  Word before = 0;
  if (Fault fault = os::file_size(file, &before)) return fault;
  const Word had = std::clamp(before, from, to);
  if (had > from) {
    if (Fault fault = os::allocate(file, from, had - from)) return fault;
  }
  const Fault fault = move_to(file, had, to);
  if (fault) take_back(held, file, before);
  return fault;
}

// The budget is shortened first: who dies in between leaves too little in it, never too much.
Fault MemoryBudget::move_to(const os::File& file, Word from, Word to) const {
  os::File budget;
  Word left = 0;
  if (Fault fault = open(&budget, &left)) return fault;
  if (pages(from, to) > left) return too_little(pages(from, to));
  int steps_lost = 0;
  for (Word at = from; at < to;) {
    const Word next = std::min(at + step_size, to);
    const Word taken = pages(at, next);
    if (taken > left) return too_little(taken);
    left -= taken;
    if (Fault fault = os::truncate(budget, left)) return fault;
    Word added = 0;
    const Fault fault = allocate_what_is_there(file, at, next - at, &added);
    at += added;
    if (fault && (fault.error != ENOSPC || ++steps_lost > steps_lost_max)) return fault;
  }
  return {};
}

void MemoryBudget::take_back(LockHeld held, const os::File& file, Word size) const {
  Word end = 0;
  if (os::file_size(file, &end)) return;
  while (end > size) {
    const Word less = end - size > step_size ? end - step_size : size;
    if (os::truncate(file, less)) return;
    give(held, pages(less, end));
    end = less;
  }
}

void MemoryBudget::give(LockHeld, Word size) const {
  if (!is_bounded()) return;
  os::File file;
  Word left = 0;
  Word added = 0;
  if (!open(&file, &left)) (void)allocate_what_is_there(file, left, round_up(size, page_size), &added);
}

bool MemoryBudget::recount(LockHeld) const {
  if (!is_bounded()) return false;
  os::File file;
  Word left = 0;
  Word needed = 0;
  if (open(&file, &left) || sum_up(&needed)) return false;
  const Word should = needed < max_bytes_ ? max_bytes_ - needed : 0;
  if (should < left) return (void)os::truncate(file, should), false;
  Word added = 0;
  (void)allocate_what_is_there(file, left, should - left, &added);
  return added > 0;
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
