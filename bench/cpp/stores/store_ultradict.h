// SPDX-License-Identifier: Apache-2.0
// The contestant: an ultradict::Dict of its own, gone at the end. Keys and values are the eight bytes of the number.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "store.h"
#include "ultradict/dict.h"

namespace bench {

class StoreUltradict {
 public:
  static constexpr const char* name = "ultradict";

  StoreUltradict() {
    ultradict::Options options;
    options.create = ultradict::Create::always;
    require(ultradict::Dict::open("bench_get_put_" + std::to_string(getpid()), options, &dict_));
  }
  StoreUltradict(const StoreUltradict&) = delete;
  StoreUltradict& operator=(const StoreUltradict&) = delete;
  ~StoreUltradict() { (void)dict_.unlink(); }

  void put(std::int64_t key, std::int64_t value) { require(dict_.put(bytes(key), bytes(value))); }

  std::int64_t get(std::int64_t key) {
    require(dict_.get(bytes(key), &value_));
    std::int64_t value = 0;
    if (value_.size() != sizeof value) fail("ultradict: a value has the wrong size");
    std::memcpy(&value, value_.data(), sizeof value);
    return value;
  }

  std::uint64_t count() const { return dict_.count(); }
  void finish_writing() {}

 private:
  static ultradict::Bytes bytes(const std::int64_t& number) {
    return {reinterpret_cast<const char*>(&number), sizeof number};
  }
  static void require(const ultradict::Status& status) {
    if (!status) fail("ultradict: " + status.message());
  }

  ultradict::Dict dict_;
  std::string value_;
};

}  // namespace bench
