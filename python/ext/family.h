// SPDX-License-Identifier: Apache-2.0
// Family: what the handle of a dict and those of its nested dicts, as far as they came from it, have in common in this
// process: one bound for their caches, one list of references to let go, and what a nested dict's handle leaves behind
// for the next one when the cache drops it.
//
// Sessions own it together. Thread safety: everything needs the interpreter lock.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "cache_budget.h"
#include "ref.h"
#include "ultradict/dict.h"

namespace ultradict::python {

struct Session;

class Family {
 public:
  CacheBudget budget;
  std::uint32_t locked = 0;    // operations that hold the shared lock now: references are dropped afterwards
  std::uint32_t sessions = 0;  // that share it
  Session* head = nullptr;     // the first one: it shows the garbage collector what is here

  // Lets go of objects that the caches dropped, unless the lock is held (their destructors are Python code).
  void settle() noexcept {
    if (budget.has_doomed() && locked == 0) budget.drop_doomed();
  }

  // Objects that must not go with the handle of a nested dict: the exotic keys it knows (canonical -> object) and the
  // values it holds. Either may be null. Without memory they go all the same.
  struct Estate {
    Ref exotic;
    Ref held;
  };
  void leave(const Session* session, ChildId dict, Estate estate) noexcept;
  Estate take(ChildId dict);
  void clear();
  int traverse(visitproc visit, void* arg) const;

 private:
  struct Kept {
    ChildId dict;
    Estate estate;
  };
  void sweep(const Session* session);

  static constexpr std::size_t sweep_count_min = 64;
  std::unordered_map<std::uint64_t, Kept> estates_;  // by ChildId::born
  std::size_t sweep_count_ = sweep_count_min;
};

}  // namespace ultradict::python
