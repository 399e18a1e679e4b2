// SPDX-License-Identifier: Apache-2.0
// What a dict can say about itself: figures for people and monitoring, and the verdict of a full check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ultradict {

// Sizes in bytes. Counters that other processes move are read one by one: each is right, together they are a moment
// apart. Of a damaged dict they are what it records.
struct Stats {
  std::uint64_t count = 0;         // keys of the root
  std::uint64_t nested_count = 0;  // keys of nested dicts
  std::uint64_t dict_count = 0;    // nested dicts
  std::uint64_t content_size = 0;  // encoded keys and values that are live: what full_dump_size bounds
  std::uint64_t live_size = 0;     // records in the log that an entry names, headers and padding included
  std::uint64_t dead_size = 0;     // records that none names
  std::uint64_t log_size = 0;      // allocated for segments
  std::uint64_t table_size = 0;    // allocated for slots and entries
  std::uint64_t blob_size = 0;     // in files of their own
  std::uint64_t free_bytes = 0;    // what max_bytes leaves; 0 without it
  std::uint64_t segments = 0;
  std::uint64_t blobs = 0;
  std::uint64_t slots = 0;  // length of the slot array
  std::uint64_t table_number = 0;
  std::uint64_t tail_position = 0;  // units of 8 bytes since the dict began
  std::uint64_t full_dump_counter = 0;
  std::uint64_t stream_position = 0;  // bytes streamed since the last full dump
  std::uint64_t recoveries = 0;       // times an owner found a dead one before it
  std::uint64_t moved_records = 0;    // by cleaning
};

// Who holds the lock. number 0: nobody.
struct Owner {
  std::uint32_t number = 0;      // participant number, unique in the directory
  std::uint32_t generation = 0;  // of that number
  std::int32_t pid = 0;          // as the owner saw itself; 0 if unknown
  bool here = false;             // this process
};

inline constexpr std::size_t findings_max = 1000;

// Every broken invariant by name, with the numbers that show it; beyond findings_max only how many more there are.
// Empty: the dict is sound.
struct Findings {
  std::vector<std::string> broken;
  bool sound() const { return broken.empty(); }
};

}  // namespace ultradict
