// SPDX-License-Identifier: Apache-2.0
// Waiting on a word that processes share, and time. Every wait has an end: who was to wake us may be dead.
#pragma once

#include <cstdint>

namespace ultradict::os {

// Sleeps while the low half of `word` is `expected`, at most `timeout_ns`; also wakes for signals and for no reason.
void futex_wait(const std::uint64_t& word, std::uint32_t expected, std::int64_t timeout_ns);
// False: nobody slept.
bool futex_wake_one(const std::uint64_t& word);

std::int64_t monotonic_ns();
void pause_ns(std::int64_t duration);

}  // namespace ultradict::os
