// SPDX-License-Identifier: Apache-2.0
// What threads of one process would use: oneTBB's concurrent_hash_map, which locks the element that is looked at.
#pragma once

#include <tbb/concurrent_hash_map.h>
#include <tbb/version.h>

#include <cstdint>
#include <string>

#include "store.h"

namespace bench {

class StoreTbb {
 public:
  static constexpr const char* name = "tbb::concurrent_hash_map";
  static std::string version() { return "oneTBB " TBB_VERSION_STRING; }

  void put(std::int64_t key, std::int64_t value) {
    Map::accessor found;
    map_.insert(found, key);
    found->second = value;
  }
  std::int64_t get(std::int64_t key) {
    Map::const_accessor found;
    if (!map_.find(found, key)) fail("tbb: a key is missing");
    return found->second;
  }
  std::uint64_t count() const { return map_.size(); }
  void finish_writing() {}

 private:
  using Map = tbb::concurrent_hash_map<std::int64_t, std::int64_t>;

  Map map_;
};

}  // namespace bench
