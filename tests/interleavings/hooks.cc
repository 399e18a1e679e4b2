// SPDX-License-Identifier: Apache-2.0
// What the engine of this program meets instead of memory, futex and clock: the scheduler of the run under way. Outside
// of a run all is as ever. It stands for src/os/futex.cc, too.
#include "base/interleaving.h"
#include "interleavings/scheduler.h"
#include "os/futex.h"

namespace ultradict {

namespace interleaving {

using test::Scheduler;

std::uint64_t read(const std::uint64_t& word, std::memory_order order) {
  Scheduler* const run = Scheduler::current();
  return run ? run->read(word, order) : __atomic_load_n(&word, __ATOMIC_SEQ_CST);
}

void write(std::uint64_t& word, std::uint64_t value, std::memory_order order) {
  if (Scheduler* const run = Scheduler::current()) return run->write(word, value, order);
  __atomic_store_n(&word, value, __ATOMIC_SEQ_CST);
}

bool change_if(std::uint64_t& word, std::uint64_t& expected, std::uint64_t desired) {
  if (Scheduler* const run = Scheduler::current()) return run->change_if(word, expected, desired);
  return __atomic_compare_exchange_n(&word, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

std::uint64_t change(std::uint64_t& word, std::uint64_t desired) {
  if (Scheduler* const run = Scheduler::current()) return run->change(word, desired);
  return __atomic_exchange_n(&word, desired, __ATOMIC_SEQ_CST);
}

void fence(std::memory_order order) {
  if (Scheduler* const run = Scheduler::current()) run->fence(order);
}

void Mutex::lock() {
  if (Scheduler* const run = Scheduler::current()) run->wait_for(is_held_);
  is_held_ = true;
}

void Mutex::unlock() {
  is_held_ = false;
  if (Scheduler* const run = Scheduler::current()) run->note_free(is_held_);
}

}  // namespace interleaving

namespace os {

using test::Scheduler;

void futex_wait(const std::uint64_t& word, std::uint32_t expected, std::int64_t timeout_ns) {
  if (Scheduler* const run = Scheduler::current()) run->wait_on(word, expected, timeout_ns);
}

bool futex_wake_one(const std::uint64_t& word) {
  Scheduler* const run = Scheduler::current();
  return run && run->wake_one(word);
}

std::int64_t monotonic_ns() {
  Scheduler* const run = Scheduler::current();
  return run ? run->now() : 0;
}

void pause_ns(std::int64_t duration) {
  if (Scheduler* const run = Scheduler::current()) run->pause(duration);
}

}  // namespace os

}  // namespace ultradict
