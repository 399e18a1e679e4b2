// SPDX-License-Identifier: Apache-2.0
// What a process does to what it shares, told step by step: each store to shared memory, through the engine's shim, and
// each system call that makes, changes, renames or removes a file, by standing in front of the C library's functions.
// There, a test looks at what a death at this moment would leave, or lets the process die.
//
// These two are all: the engine writes to mappings through base/shared_atomic.h alone, and Watch::is_complete() finds
// every byte that changed by another way. What a control file holds before it has its place in d/ is written past the
// shim; nobody opens it before, and it is removed as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace ultradict::test {

// From now on this process is killed just after its `store`-th store; 0: never. The count begins anew.
void die_at_store(std::uint64_t store);
std::uint64_t stores_counted();

// Is told of what this process does. One at a time.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void after_store(const void* address, std::size_t size) = 0;
  virtual void after_file_call(int written) = 0;  // `written`: the descriptor of what alone changed, or -1
  virtual void before_open() {}
  virtual void after_open() = 0;  // what is mapped may be another from here on
};
void observe(Observer* observer);  // null: nobody
bool is_observed();
void tell_of_file_call(int written = -1);
void tell_of_open_to_come();
void tell_of_open();

// Runs `body` in a child that is killed at its `stop`-th stop at a system call: each call stops twice, before and
// after. True if it was killed, false if it ended first.
bool killed_at_system_call(int stop, const std::function<void()>& body);
bool can_trace();

}  // namespace ultradict::test
