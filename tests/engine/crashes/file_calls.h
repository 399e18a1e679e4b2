// SPDX-License-Identifier: Apache-2.0
// The engine's random bytes, the same in every run from here on: what it builds has the same ids.
#pragma once

#include <cstdint>

namespace ultradict::test {

void choose_random_bytes(std::uint64_t seed);
void leave_random_bytes_to_chance();

}  // namespace ultradict::test
