// SPDX-License-Identifier: Apache-2.0
// The contestant: an ultradict::Dict of its own, gone at the end. Keys and values are the eight bytes of the number.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "../support/fresh_dict.h"

namespace bench {

class StoreUltradict {
 public:
  static constexpr const char* name = "ultradict";
  static std::string version() { return "this commit"; }

  StoreUltradict() { open_fresh("get_put", &dict_); }
  StoreUltradict(const StoreUltradict&) = delete;
  StoreUltradict& operator=(const StoreUltradict&) = delete;
  ~StoreUltradict() { (void)dict_.unlink(); }

  void put(std::int64_t key, std::int64_t value) { require(dict_.put(bytes(key), bytes(value))); }

  std::int64_t get(std::int64_t key) { return get(key, &value_); }
  // For a thread among others, each with a `found` of its own.
  std::int64_t get(std::int64_t key, std::string* found) const {
    require(dict_.get(bytes(key), found));
    std::int64_t value = 0;
    if (found->size() != sizeof value) fail("ultradict: a value has the wrong size");
    std::memcpy(&value, found->data(), sizeof value);
    return value;
  }

  std::uint64_t count() const { return dict_.count(); }
  void finish_writing() {}

 private:
  ultradict::Dict dict_;
  std::string value_;
};

}  // namespace bench
