// SPDX-License-Identifier: Apache-2.0
// Noise: what goes on in a dict beside the operations that are on record. Other keys come and go in crowds, so that the
// table grows and the log is full of dead records; and it is cleaned all the time, which moves every live record.
#pragma once

#include <atomic>
#include <cstdint>

#include "ultradict/dict.h"

namespace ultradict::test {

void make_noise(Dict& dict, std::uint64_t seed, const std::atomic<bool>& stop);

}  // namespace ultradict::test
