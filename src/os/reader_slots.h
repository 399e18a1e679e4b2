// SPDX-License-Identifier: Apache-2.0
// ReaderSlots: what each thread of this process reads, and since when. So a mapping that was replaced can go as soon as
// every read has ended that began before, whatever reads have begun since.
//
// A read is the most frequent thing there is, so it notes itself by plain stores to words of its own thread; that these
// are seen in time is up to who wants to unmap, which is rare: membarrier(2) has every thread pass a full fence.
//
// A thread that has no slot notes its reads elsewhere. There is none where the kernel has no membarrier, for more
// threads than there are slots, and for one that is ending.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ultradict::os {

class ReaderSlots {
 public:
  static constexpr std::size_t count = 256;

  // Grows, from 1. A read that began after one finds what was done before it.
  using Moment = std::uint64_t;
  static constexpr Moment never = ~Moment{0};

  class alignas(64) Slot {
   public:
    // What the thread was reading before, for end(): a read may lie within another. The stores release what earlier
    // reads looked at: who meets these need not have met their ends.
    const void* begin(const void* what) {
      const void* const outer = reading_.load(std::memory_order_relaxed);
      if (outer == nullptr) [[likely]]
        since_.store(now_.load(std::memory_order_acquire), std::memory_order_release);
      reading_.store(outer == nullptr || outer == what ? what : &several_, std::memory_order_release);
      std::atomic_signal_fence(std::memory_order_seq_cst);  // fence() is the other half
      return outer;
    }
    void end(const void* outer) {
      reading_.store(outer, std::memory_order_release);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    // When the outermost read began.
    Moment since() const { return since_.load(std::memory_order_relaxed); }

   private:
    friend class ReaderSlots;
    std::atomic<const void*> reading_ = nullptr;
    std::atomic<Moment> since_ = 0;
    std::atomic<bool> is_taken_ = false;
  };

  // Of this thread; nullptr if it has none.
  static Slot* mine() {
    Slot* const slot = mine_;
    if (slot == nullptr) [[unlikely]]
      return claim();
    return slot == &none_ ? nullptr : slot;
  }

  // The moment that ends now.
  static Moment next_moment() { return now_.fetch_add(1, std::memory_order_acq_rel); }
  // Reads that began before are seen by oldest_read(). False: not all of them.
  static bool fence();
  // When the oldest read of it began that has not ended; never if there is none.
  static Moment oldest_read(const void* what);

  // No other thread is there in a child of fork.
  static void after_fork_in_child();

 private:
  static Slot* claim();
  static void leave();

  static const char several_;  // different things
  static Slot none_;
  static Slot slots_[count];
  static std::atomic<std::size_t> used_;  // slots that were ever taken
  static std::atomic<Moment> now_;

  static constinit thread_local Slot* mine_ __attribute__((tls_model("initial-exec")));
};

}  // namespace ultradict::os
