// SPDX-License-Identifier: Apache-2.0
// What the golden dict holds: written by generate.cc once per format version, expected by golden_test.cc from then on.
#pragma once

#include <string>
#include <vector>

#include "ultradict/value.h"

namespace ultradict::golden {

inline constexpr const char* name = "golden";
inline constexpr const char* attributes = "attributes of the golden dict";
inline constexpr std::uint64_t blob_bytes = 40'000;

struct StoredKey {
  std::string canonical;
  std::string face;
  bool exotic = false;
};

struct StoredItem {
  StoredKey key;
  std::string value;
  bool is_dict = false;  // the nested one
};

inline StoredKey plain(const Value& key) {
  StoredKey stored;
  (void)encode_key(key, &stored.canonical, &stored.face);
  return stored;
}

// As Python stores Decimal('1.5'): a random identity, and the pickle of the key for a face.
inline StoredKey exotic() {
  const char pickle[] =
      "\x80\x05\x95!\x00\x00\x00\x00\x00\x00\x00\x8c\x07"
      "decimal\x94\x8c\x07"
      "Decimal\x94\x93\x94\x8c\x03"
      "1.5\x94\x85\x94R\x94.";
  return {static_cast<char>(Tag::unique) + std::string("golden exotic 01"),
          static_cast<char>(Tag::pickle) + std::string(pickle, sizeof pickle - 1), true};
}

inline std::string encoded(const Value& value) {
  std::string bytes;
  (void)encode_value(value, &bytes);
  return bytes;
}

inline Value blob() {
  std::string bytes(blob_bytes, '\0');
  for (std::size_t at = 0; at < bytes.size(); ++at) bytes[at] = static_cast<char>(at % 251);
  return ByteString{bytes};
}

// In the order of the dict. `apple` was never touched again; `price` was overwritten; what stood between `apple` and
// the key that looks like True was deleted, and its entry serves the last one.
inline std::vector<StoredItem> items() {
  return {
      {plain("apple"), encoded(3)},  {plain("price"), encoded(189.25)},
      {plain(true), encoded("yes")}, {plain(Tuple{{1, "x"}}), encoded(List{{1, None{}, Mapping{{{"a", false}}}}})},
      {exotic(), encoded("exotic")}, {plain(ByteString{"large"}), encoded(blob())},
      {plain("nested"), "", true},   {plain("last"), encoded(BigInteger{std::string(10, '\0') + '\x01'})},
  };
}

// Of the nested dict.
inline StoredItem inner_item() { return {plain("apple"), encoded("inside")}; }

}  // namespace ultradict::golden
