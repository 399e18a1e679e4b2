// SPDX-License-Identifier: Apache-2.0
// What C++ programs share a map with otherwise: boost::interprocess::map in a segment of shared memory of a fixed size,
// every operation under an interprocess_mutex. A process that dies inside leaves the mutex locked.
#pragma once

#include <unistd.h>

#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/containers/map.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <boost/version.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "store.h"

namespace bench {

class StoreBoostInterprocess {
 public:
  static constexpr const char* name = "Boost.Interprocess map + mutex";
  static std::string version() { return "Boost " BOOST_LIB_VERSION; }

  StoreBoostInterprocess()
      : segment_name_("bench_get_put_boost_" + std::to_string(getpid())),
        segment_(boost::interprocess::create_only, segment_name_.c_str(), segment_size),
        map_(segment_.construct<Map>("map")(std::less<>(), segment_.get_segment_manager())),
        mutex_(segment_.construct<boost::interprocess::interprocess_mutex>("mutex")()) {}
  StoreBoostInterprocess(const StoreBoostInterprocess&) = delete;
  StoreBoostInterprocess& operator=(const StoreBoostInterprocess&) = delete;
  ~StoreBoostInterprocess() { boost::interprocess::shared_memory_object::remove(segment_name_.c_str()); }

  void put(std::int64_t key, std::int64_t value) {
    const Guard guard(*mutex_);
    map_->insert_or_assign(key, value);
  }
  std::int64_t get(std::int64_t key) {
    const Guard guard(*mutex_);
    const auto found = map_->find(key);
    if (found == map_->end()) fail("boost: a key is missing");
    return found->second;
  }
  std::uint64_t count() const { return map_->size(); }
  void finish_writing() {}

 private:
  using Shared = boost::interprocess::managed_shared_memory;
  using Allocator =
      boost::interprocess::allocator<std::pair<const std::int64_t, std::int64_t>, Shared::segment_manager>;
  using Map = boost::interprocess::map<std::int64_t, std::int64_t, std::less<>, Allocator>;
  using Guard = boost::interprocess::scoped_lock<boost::interprocess::interprocess_mutex>;
  static constexpr std::size_t segment_size = std::size_t{1} << 30;

  std::string segment_name_;
  Shared segment_;
  Map* map_;
  boost::interprocess::interprocess_mutex* mutex_;
};

}  // namespace bench
