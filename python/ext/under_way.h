// SPDX-License-Identifier: Apache-2.0
// UnderWay: what the threads are in the midst of, and what is counted until it ends. All of it is in one list, so that
// a child of fork can end what the threads were doing that it does not have.
//
// The entries outlive the threads: the stack of one that is gone belongs to a new one, or to nobody.
//
// Thread safety: everything needs the interpreter lock.
#pragma once

#include "ref.h"

#include <cstdint>
#include <new>

namespace ultradict::python {

struct Session;

class UnderWay {
 public:
  // What ends it if its thread is not there. May run Python code.
  using End = void (*)(Session*) noexcept;
  struct Entry;

  UnderWay() = default;
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay();

  // Null without memory: then a child of fork counts it for ever, no more than that.
  Entry* enter(Session* session, End end) noexcept;
  // It ended, or is no longer to be counted by whoever forks. Null: nothing happens.
  void leave(Entry* entry) noexcept;
  // In a child of fork. The newest first: what began within another thing ends before it.
  void end_those_of_missing_threads() noexcept;

 private:
  Entry* newest_ = nullptr;
  Entry* spare_ = nullptr;  // as many as were listed at once
};

// To others no more than a name.
struct UnderWay::Entry {
  Session* session;
  End end;
  std::uint64_t thread;  // of its interpreter, never used again
  Entry* next;
  Entry** at;  // what points here
};

inline UnderWay::Entry* UnderWay::enter(Session* session, End end) noexcept {
  Entry* entry = spare_ != nullptr ? std::exchange(spare_, spare_->next) : new (std::nothrow) Entry;
  if (entry == nullptr) [[unlikely]]
    return nullptr;
  entry->session = session;
  entry->end = end;
  entry->thread = PyThreadState_GetID(PyThreadState_Get());
  entry->next = newest_;
  entry->at = &newest_;
  if (newest_ != nullptr) newest_->at = &entry->next;
  return newest_ = entry;
}

inline void UnderWay::leave(Entry* entry) noexcept {
  if (entry == nullptr) [[unlikely]]
    return;
  *entry->at = entry->next;
  if (entry->next != nullptr) entry->next->at = entry->at;
  entry->next = std::exchange(spare_, entry);
}

}  // namespace ultradict::python
