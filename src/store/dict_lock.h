// SPDX-License-Identifier: Apache-2.0
// DictLock: one word in shared memory that excludes all other writers, in all processes and threads.
//
// Taking is one compare-and-swap of 0 for the own number and generation, leaving one for 0: there is no moment between
// "taken" and "by whom". Who finds it taken sleeps on the word, never longer than wait_ns_max, then asks the kernel
// whether the owner lives; a dead owner's word is swapped for the own one, and the taker repairs what it left
// (recovery.h). A thread that ended is a dead owner to the others of its process, the only ones who can know.
//
// Fairness: who waited starving_after_ns sets `starving`; a lock freed in that state is left to those who wait:
// newcomers stand back for one turn.
//
// Thread safety: any. Re-entrant per thread. Fork: a child does not hold what its parent holds.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "base/fault.h"
#include "base/lock_held.h"
#include "base/poison.h"
#include "base/shared_atomic.h"
#include "layout.h"
#include "os/liveness_token.h"
#include "ultradict/dict.h"

namespace ultradict {

class DictLock {
 public:
  static constexpr std::int64_t wait_ns_max = 20'000'000;
  static constexpr std::int64_t starving_after_ns = 1'000'000;

  void bind(Word* word, std::shared_ptr<os::LivenessToken> token, Poison* poison) {
    word_ = word;
    poison_ = poison;
    token_ = std::move(token);
  }

  // The common case in a few instructions; false if somebody else has it.
  bool try_acquire() {
    const Word mine = token_->word();
    if (mine == 0) return false;
    if (owner_thread_.load(std::memory_order_relaxed) == this_thread() && is_owned_by(mine)) {
      ++depth_;
      return true;
    }
    Word free = 0;
    if (!shared::compare_and_swap(*word_, free, mine)) return false;
    note_owner();
    return true;
  }

  Fault acquire(const Wait& wait);
  Fault release();
  // The same for who is known to hold it.
  void leave() {
    if (--depth_ > 0) return;
    owner_thread_.store(0, std::memory_order_relaxed);
    give_back(token_->word());
  }
  // Whether a thread of this process took it through this Store. (Two threads may open a dict at the same moment: the
  // Store that ends then need not be the one that holds the lock.)
  bool is_owned_here() const {
    return owner_thread_.load(std::memory_order_relaxed) != 0 && is_owned_by(token_->word());
  }
  // Of a Store that ends: no thread of this process can give the lock back any more.
  void leave_for_good() {
    if (is_owned_here()) give_back(token_->word());
  }
  void after_fork_in_child() {
    owner_thread_.store(0, std::memory_order_relaxed);
    depth_ = 0;
    took_from_the_dead_ = false;
  }
  // The thread that forked is another one here.
  static void forget_thread_in_child() { thread_id_ = 0; }
  bool is_held() const {
    return owner_thread_.load(std::memory_order_relaxed) == this_thread() && is_owned_by(token_->word());
  }
  LockHeld held() const { return LockHeld(); }
  // How deep this thread is inside; only for who holds it.
  int depth() const { return depth_; }
  // Whether the lock was taken from a dead owner since the last call; only for who holds it.
  bool took_from_the_dead() { return std::exchange(took_from_the_dead_, false); }
  // The last dead owner that was met here, as it saw itself; 0 if that is unknown. Only for who holds the lock.
  std::int32_t dead_pid() const { return dead_pid_; }
  Owner owner() const;

 private:
  // Its id in the system and, above, a number that is never used again.
  static std::uint64_t this_thread() {
    const std::uint64_t id = thread_id_;
    return id != 0 ? id : new_thread_id();
  }
  static std::uint64_t new_thread_id();
  bool is_owned_by(Word mine) const { return mine != 0 && LockWord{shared::load_relaxed(*word_)}.owner() == mine; }
  void give_back(Word mine) {
    Word found = mine;
    if (!shared::compare_and_swap(*word_, found, 0)) [[unlikely]]
      give_to_waiters(mine, found);
  }
  void give_to_waiters(Word mine, Word found);
  void note_owner() {
    depth_ = 1;
    owner_thread_.store(this_thread(), std::memory_order_release);  // for who finds that its thread has ended
  }
  bool spin_for_it(Word taken);
  Fault wait_for_it(Word mine, const Wait& wait);
  bool take_from_ended_thread();
  Fault take_from_the_dead(Word mine, LockWord seen, bool* taken);

  static constinit thread_local std::uint64_t thread_id_ __attribute__((tls_model("initial-exec")));

  Word* word_ = nullptr;
  Poison* poison_ = nullptr;
  std::shared_ptr<os::LivenessToken> token_;
  // The process's own half. Both belong to the owner of the word; owner_thread_ is also read by others, to no harm:
  // only the thread that wrote its own id finds it there.
  std::atomic<std::uint64_t> owner_thread_ = 0;
  int depth_ = 0;
  bool took_from_the_dead_ = false;
  std::int32_t dead_pid_ = 0;
};

}  // namespace ultradict
