// SPDX-License-Identifier: Apache-2.0
// How long a campaign is: short in every `make test`, its full length under `make stress`.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace ultradict::test {

inline bool is_stressed() { return std::getenv("ULTRADICT_STRESS") != nullptr; }

inline std::uint64_t scaled(std::uint64_t in_short, std::uint64_t in_full) {
  return is_stressed() ? in_full : in_short;
}

// Where the random numbers begin; every failure prints it.
inline std::uint64_t seed() {
  const char* given = std::getenv("ULTRADICT_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 1;
}

}  // namespace ultradict::test
