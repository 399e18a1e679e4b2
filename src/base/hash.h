// SPDX-License-Identifier: Apache-2.0
// Hashes: XXH3 with a secret of the dict's own for keys, so that nobody can choose keys that collide; plain XXH3 for
// checksums, which guard against accidents only.
#pragma once

#include <cstddef>
#include <cstdint>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ultradict {

inline std::uint64_t keyed_hash(const void* data, std::size_t size, const std::uint8_t* secret,
                                std::size_t secret_size) {
  return XXH3_64bits_withSecret(data, size, secret, secret_size);
}

inline std::uint64_t checksum64(const void* data, std::size_t size) { return XXH3_64bits(data, size); }

inline std::uint32_t checksum32(const void* data, std::size_t size) {
  return static_cast<std::uint32_t>(XXH3_64bits(data, size));
}

}  // namespace ultradict
