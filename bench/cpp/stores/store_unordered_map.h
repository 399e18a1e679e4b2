// SPDX-License-Identifier: Apache-2.0
// What a single process would use instead: std::unordered_map, every operation under a std::mutex.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "store.h"

namespace bench {

class StoreUnorderedMap {
 public:
  static constexpr const char* name = "unordered_map + mutex";
  static std::string version() { return "libstdc++ " + std::to_string(_GLIBCXX_RELEASE); }

  void put(std::int64_t key, std::int64_t value) {
    const std::lock_guard<std::mutex> guard(mutex_);
    map_[key] = value;
  }

  std::int64_t get(std::int64_t key) {
    const std::lock_guard<std::mutex> guard(mutex_);
    const auto found = map_.find(key);
    if (found == map_.end()) fail("unordered_map: a key is missing");
    return found->second;
  }

  std::uint64_t count() const { return map_.size(); }
  void finish_writing() {}

 private:
  std::mutex mutex_;
  std::unordered_map<std::int64_t, std::int64_t> map_;
};

}  // namespace bench
