// SPDX-License-Identifier: Apache-2.0
// Family: what the handle of a dict and those of its nested dicts, as far as they came from it, have in common in this
// process: one handle for each nested dict, one bound for their caches, one list of references to let go, and what a
// nested dict's handle leaves behind for the next one when the cache drops it.
//
// Sessions own it together. Thread safety: everything needs the interpreter lock.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "cache_budget.h"
#include "ref.h"
#include "ultradict/dict.h"

namespace ultradict::python {

struct ModuleState;
struct Session;

class Family {
 public:
  CacheBudget budget;
  std::uint32_t locked = 0;    // operations that hold the shared lock now: references are dropped afterwards
  std::uint32_t sessions = 0;  // that share it
  Session* head = nullptr;     // at whose end it is looked whether anybody needs what is here
  PyObject* common = nullptr;  // stands for this: each session has a reference

  // Of one session, which is to become the head; null with an exception.
  static Family* make(const ModuleState* module);
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  ~Family();
  // Lets go of objects that the caches dropped, unless the lock is held (their destructors are Python code).
  void settle() noexcept {
    if (budget.has_doomed() && locked == 0) budget.drop_doomed();
  }

  // --- open handles of nested dicts ---
  void enroll(Session* child);
  void strike_off(const Session* child) noexcept;
  // A new reference; null: there is none.
  PyObject* handle_of(ChildId dict) const noexcept;
  // `from` ends: another session becomes the head, or nobody needs what is here.
  void hand_on(const Session* from) noexcept;

  // --- what they leave behind ---
  // Objects that must not go with the handle of a nested dict: the exotic keys it knows (canonical -> object) and the
  // values it holds. Either may be null. Without memory they go all the same.
  struct Estate {
    Ref exotic;
    Ref held;
  };
  // Does not run Python code. `session` is any open one of the family.
  void leave(const Session* session, ChildId dict, Estate estate) noexcept;
  Estate take(ChildId dict) noexcept;
  // Values held for nested dicts that are gone are let go. Asks only if there are some, and a nested dict has ended.
  void look_for_ended(const Session* session) noexcept {
    if (holds_for_nested()) look_at_held(session);
  }
  bool holds_for_nested() const noexcept { return !held_for_.empty(); }

 private:
  Family() = default;
  struct Kept {
    ChildId dict;
    Estate estate;
  };
  using Estates = std::unordered_map<std::uint64_t, Kept>;  // by ChildId::born
  static int traverse(void* owned, visitproc visit, void* arg);
  static void break_cycles(void* owned);
  void doom_all() noexcept;
  void doom(Estate estate) noexcept;
  void look_at_held(const Session* session) noexcept;
  void sweep(const Session* session) noexcept;

  static constexpr std::size_t sweep_count_min = 64;
  std::unordered_map<std::uint64_t, Session*> open_;  // by ChildId::born
  Estates estates_;
  std::vector<std::uint64_t> held_for_;  // estates with values
  std::uint64_t ended_ = 0;              // nested dicts that had ended at the last look
  std::size_t sweep_count_ = sweep_count_min;
};

}  // namespace ultradict::python
