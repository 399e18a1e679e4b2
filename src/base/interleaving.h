// SPDX-License-Identifier: Apache-2.0
// The hooks of the test build that runs threads in every order (tests/interleavings): each access to shared memory and
// each fence is handed to a scheduler, which decides whose turn it is and which of the values that the memory order
// allows a load meets. Only tests define them (ULTRADICT_INTERLEAVE).
#pragma once

#include <atomic>
#include <cstdint>

namespace ultradict::interleaving {

std::uint64_t read(const std::uint64_t& word, std::memory_order order);
void write(std::uint64_t& word, std::uint64_t value, std::memory_order order);
bool change_if(std::uint64_t& word, std::uint64_t& expected, std::uint64_t desired);
std::uint64_t change(std::uint64_t& word, std::uint64_t desired);
void fence(std::memory_order order);

class Mutex {
 public:
  void lock();
  void unlock();

 private:
  bool is_held_ = false;
};

}  // namespace ultradict::interleaving
