// SPDX-License-Identifier: Apache-2.0
// Where a process is to die: at its n-th store to shared memory, or at its n-th stop at a system call.
#pragma once

#include <cstdint>
#include <functional>

namespace ultradict::test {

// From now on this process is killed just after its `store`-th store; 0: never. The count begins anew.
void die_at_store(std::uint64_t store);
std::uint64_t stores_counted();

// Runs `body` in a child that is killed at its `stop`-th stop at a system call: each call stops twice, before and
// after. True if it was killed, false if it ended first.
bool killed_at_system_call(int stop, const std::function<void()>& body);
bool can_trace();

}  // namespace ultradict::test
