// SPDX-License-Identifier: Apache-2.0
// A dict of the benchmark's own, and what every program does with it: numbers as its bytes, and an end at any failure.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <string>

#include "../stores/store.h"
#include "ultradict/dict.h"

namespace bench {

inline void require(const ultradict::Status& status) {
  if (!status) fail("ultradict: " + status.message());
}

inline void open_fresh(const std::string& program, ultradict::Dict* dict) {
  ultradict::Options options;
  options.create = ultradict::Create::always;
  require(ultradict::Dict::open("bench_" + program + "_" + std::to_string(getpid()), options, dict));
}

// Valid as long as the number.
template <class Number>
ultradict::Bytes bytes(const Number& number) {
  static_assert(sizeof(Number) == sizeof(std::uint64_t));
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

}  // namespace bench
