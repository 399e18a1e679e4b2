// SPDX-License-Identifier: Apache-2.0
// Sightings, and shared words as those who keep them look at them: as atomics, without a function of the engine.
#pragma once

#include <atomic>

#include "layout.h"
#include "ultradict/dict.h"

namespace ultradict {

inline const std::atomic<std::uint64_t>& as_atomic(const Word& word) {
  static_assert(sizeof(std::atomic<std::uint64_t>) == sizeof(Word) && std::atomic<std::uint64_t>::is_always_lock_free);
  return reinterpret_cast<const std::atomic<std::uint64_t>&>(word);
}

// Of the entry of that number in that table, when it had that ref, in that life of its key.
inline Sighting sighting_of(const State& state, Word table, const Entry& entry, Word number, Word ref, Word born,
                            Word sequence = 0, Word blob_checksum = 0) {
  return {&as_atomic(entry.ref), &as_atomic(state.table_number),    ref, table, sequence, born,
          blob_checksum,         static_cast<std::uint32_t>(number)};
}

}  // namespace ultradict
