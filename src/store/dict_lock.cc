// SPDX-License-Identifier: Apache-2.0
#include "store/dict_lock.h"

#include <algorithm>

#include "os/futex.h"
#include "os/system.h"

namespace ultradict {

namespace {

constexpr int spins_max = 100;
constexpr std::int64_t turn_ns = 1'000'000;  // how long a newcomer stands back for those who starve

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Who waits, since when and until when.
class Waiting {
 public:
  explicit Waiting(const Wait& wait) : wait_(wait), start_(os::monotonic_ns()), asked_(start_) {}
  bool tries_once() const { return wait_.timeout_ns == 0; }
  bool spins() const { return wait_.spin; }
  void look_at_clock() { now_ = os::monotonic_ns(); }
  bool is_over() const { return wait_.timeout_ns >= 0 && now_ - start_ >= wait_.timeout_ns; }
  bool starves() const { return now_ - start_ >= DictLock::starving_after_ns; }
  bool waited() const { return waited_; }
  void note_turn() { waited_ = true; }
  std::int64_t sleep_ns(std::int64_t most) const {
    return wait_.timeout_ns < 0 ? most : std::clamp<std::int64_t>(wait_.timeout_ns - (now_ - start_), 1000, most);
  }
  // Whether to ask if the owner lives: every wait_ns_max, and at once by who will not wait.
  bool time_to_ask() {
    if (!tries_once() && now_ - asked_ < DictLock::wait_ns_max) return false;
    asked_ = now_;
    return true;
  }

 private:
  Wait wait_;
  std::int64_t start_;
  std::int64_t asked_;
  std::int64_t now_ = start_;
  bool waited_ = false;
};

}  // namespace

constinit thread_local std::uint64_t DictLock::thread_id_ __attribute__((tls_model("initial-exec"))) = 0;

std::uint64_t DictLock::new_thread_id() {
  static std::atomic<std::uint64_t> last{0};
  const std::uint64_t number = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return thread_id_ = number << 32 | static_cast<std::uint32_t>(os::thread_id());
}

Fault DictLock::acquire(const Wait& wait) {
  if (try_acquire()) return {};
  if (Fault fault = token_->claim_if_forked()) return fault;
  if (try_acquire()) return {};
  const Word mine = token_->word();
  if (wait.timeout_ns != 0 && spin_for_it(mine)) return {};
  return wait_for_it(mine, wait);
}

// Most owners leave within a microsecond. `taken`: what the word becomes.
bool DictLock::spin_for_it(Word taken) {
  for (int spin = 0; spin < spins_max; ++spin) {
    pause();
    Word free = 0;
    if (shared::load_relaxed(*word_) == 0 && shared::compare_and_swap(*word_, free, taken)) {
      note_owner();
      return true;
    }
  }
  return false;
}

Fault DictLock::wait_for_it(Word mine, const Wait& wait) {
  for (Waiting waiting(wait);;) {
    LockWord seen{shared::load(*word_)};
    const bool stands_back =
        seen.is_free() && (seen.word & LockWord::starving) && !waiting.waited() && !waiting.tries_once();
    if (seen.is_free() && !stands_back) {
      const Word others = waiting.waited() ? LockWord::waiters : seen.word & LockWord::waiters;
      if (!shared::compare_and_swap(*word_, seen.word, mine | others)) continue;
      note_owner();
      return {};
    }
    waiting.look_at_clock();
    if (!seen.is_free() && (waiting.time_to_ask() || waiting.is_over())) {
      bool taken = false;
      if (Fault fault = take_from_the_dead(mine, seen, &taken)) return fault;
      if (taken) return {};
    }
    if (waiting.tries_once()) return Fault::of(Code::lock_busy);
    if (waiting.is_over()) {
      // Who took a wake-up with him passes it on: the owner may have come meanwhile and know of no one who sleeps.
      if (waiting.waited()) (void)os::futex_wake_one(*word_);
      return Fault::of(Code::lock_timeout);
    }
    if (waiting.spins()) {
      pause();
      waiting.note_turn();
      continue;
    }
    const Word starving = waiting.starves() ? LockWord::starving : 0;
    const Word announced = seen.word | LockWord::waiters | starving;
    if (announced != seen.word && !shared::compare_and_swap(*word_, seen.word, announced)) continue;
    os::futex_wait(*word_, static_cast<std::uint32_t>(announced),
                   waiting.sleep_ns(stands_back ? turn_ns : wait_ns_max));
    waiting.note_turn();
    // Who gave it back may have taken it again already. To sleep at once would make each of its turns a wake-up.
    if (spin_for_it(mine | LockWord::waiters)) return {};
  }
}

// Of this process. One whose id a new thread has counts as alive, unless that is the calling one.
bool DictLock::take_from_ended_thread() {
  std::uint64_t holder = owner_thread_.load(std::memory_order_acquire);
  const auto id = static_cast<std::int32_t>(holder);
  if (holder == 0 || (id != os::thread_id() && os::thread_exists(id))) return false;
  if (!owner_thread_.compare_exchange_strong(holder, this_thread(), std::memory_order_acq_rel)) return false;
  depth_ = 1;
  took_from_the_dead_ = true;
  dead_pid_ = token_->pid_of(LockWord{token_->word()});
  return true;
}

Fault DictLock::take_from_the_dead(Word mine, LockWord seen, bool* taken) {
  *taken = false;
  if (seen.owner() == mine) return *taken = take_from_ended_thread(), Fault::none();
  bool dead = false;
  if (Fault fault = token_->is_dead(seen, &dead)) return fault;
  if (!dead) return {};
  const std::int32_t pid = token_->pid_of(seen);
  // If the word changed meanwhile, somebody else was faster or the owner lives: look again.
  if (shared::compare_and_swap(*word_, seen.word, mine | LockWord::waiters)) {
    note_owner();
    took_from_the_dead_ = true;
    dead_pid_ = pid;
    *taken = true;
  }
  return {};
}

Fault DictLock::release() {
  if (!is_held()) return Fault::of(Code::not_owner);
  leave();
  return {};
}

void DictLock::give_to_waiters(Word mine, Word found) {
  if (!poison_->asserts(LockWord{found}.owner() == mine, "who gives the lock back owns it")) return;
  const Word left_to_waiters = found & LockWord::starving ? LockWord::starving | LockWord::waiters : 0;
  const Word before = shared::exchange(*word_, left_to_waiters);
  if ((before & LockWord::waiters) == 0 || os::futex_wake_one(*word_)) return;
  // Nobody sleeps: who starved has given up, or is dead, and newcomers would stand back for nobody.
  Word left = left_to_waiters;
  if (left != 0) (void)shared::compare_and_swap(*word_, left, 0);
}

Owner DictLock::owner() const {
  const LockWord seen{shared::load(*word_)};
  if (seen.is_free()) return {};
  return Owner{static_cast<std::uint32_t>(seen.number()), static_cast<std::uint32_t>(seen.generation()),
               token_->pid_of(seen), seen.owner() == token_->word()};
}

}  // namespace ultradict
