// SPDX-License-Identifier: Apache-2.0
#include "os/reader_slots.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace ultradict::os {

namespace {

bool membarrier(int command) { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }

// A child of fork may have to register anew.
bool fence_all_threads() {
  return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) ||
         (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
}

enum class Answer : std::int8_t { unknown, no, yes };
constinit std::atomic<Answer> can_fence = Answer::unknown;

// Asked without a lock, which a child of fork could find held by a thread that it does not have. The first answer
// stands: slots are given by it.
bool can_fence_all_threads() {
  Answer known = can_fence;
  if (known == Answer::unknown) {
    const Answer asked = fence_all_threads() ? Answer::yes : Answer::no;
    if (can_fence.compare_exchange_strong(known, asked)) known = asked;
  }
  return known == Answer::yes;
}

}  // namespace

const char ReaderSlots::several_ = 0;
constinit ReaderSlots::Slot ReaderSlots::none_;
constinit ReaderSlots::Slot ReaderSlots::slots_[count];
constinit std::atomic<std::size_t> ReaderSlots::used_ = 0;
constinit std::atomic<ReaderSlots::Moment> ReaderSlots::now_ = 1;
constinit thread_local ReaderSlots::Slot* ReaderSlots::mine_ __attribute__((tls_model("initial-exec"))) = nullptr;

ReaderSlots::Slot* ReaderSlots::claim() {
  struct AtEnd {
    ~AtEnd() { leave(); }
  };
  static thread_local const AtEnd at_end;
  mine_ = &none_;
  if (!can_fence_all_threads()) return nullptr;
  for (std::size_t number = 0; number < count; ++number) {
    if (slots_[number].is_taken_.exchange(true)) continue;
    // Before the first read: who looks and does not see this is seen by that read.
    for (std::size_t seen = used_; seen <= number && !used_.compare_exchange_weak(seen, number + 1);) continue;
    return mine_ = &slots_[number];
  }
  return nullptr;
}

// Reads of destructors that run later are noted elsewhere.
void ReaderSlots::leave() {
  Slot* const left = mine_;
  mine_ = &none_;
  if (left != &none_) left->is_taken_.store(false, std::memory_order_release);
}

bool ReaderSlots::fence() { return !can_fence_all_threads() || fence_all_threads(); }

ReaderSlots::Moment ReaderSlots::oldest_read(const void* what) {
  Moment oldest = never;
  const std::size_t end = used_;
  for (std::size_t number = 0; number < end; ++number) {
    const Slot& slot = slots_[number];
    const void* const reading = slot.reading_.load(std::memory_order_acquire);
    if (reading == what || reading == &several_) {
      oldest = std::min(oldest, slot.since_.load(std::memory_order_acquire));
    }
  }
  return oldest;
}

void ReaderSlots::after_fork_in_child() {
  const std::size_t end = used_;
  for (std::size_t number = 0; number < end; ++number) {
    Slot& slot = slots_[number];
    if (&slot == mine_) continue;
    slot.reading_.store(nullptr, std::memory_order_relaxed);
    slot.is_taken_.store(false, std::memory_order_relaxed);
  }
}

}  // namespace ultradict::os
