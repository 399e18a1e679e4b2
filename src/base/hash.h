// SPDX-License-Identifier: Apache-2.0
// Hashes: XXH3 with a secret of the dict's own for keys, so that nobody can choose keys that collide; plain XXH3 for
// checksums, which guard against accidents only.
#pragma once

#include <cstddef>
#include <cstdint>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ultradict {

inline std::uint64_t keyed_hash(const void* data, std::size_t size, const std::uint8_t* key, std::size_t key_size) {
  return XXH3_64bits_withSecret(data, size, key, key_size);
}

inline std::uint64_t checksum64(const void* data, std::size_t size) { return XXH3_64bits(data, size); }

// checksum64 of bytes that come in parts.
class StreamedChecksum {
 public:
  StreamedChecksum() { XXH3_64bits_reset(&state_); }
  void add(const void* data, std::size_t size) { XXH3_64bits_update(&state_, data, size); }
  std::uint64_t value() const { return XXH3_64bits_digest(&state_); }

 private:
  XXH3_state_t state_;
};

inline std::uint32_t checksum32(const void* data, std::size_t size) {
  return static_cast<std::uint32_t>(XXH3_64bits(data, size));
}

}  // namespace ultradict
