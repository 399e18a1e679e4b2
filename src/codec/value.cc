// SPDX-License-Identifier: Apache-2.0
// Value: comparison, integers beyond int64, and the few lines between a Value and a Dict.
#include "ultradict/value.h"

#include <algorithm>

#include "ultradict/wire.h"

namespace ultradict {

bool operator==(const Tuple& left, const Tuple& right) { return left.items == right.items; }
bool operator==(const List& left, const List& right) { return left.items == right.items; }
bool operator==(const Mapping& left, const Mapping& right) { return left.items == right.items; }
bool operator==(const FrozenSet& left, const FrozenSet& right) {
  return std::is_permutation(left.members.begin(), left.members.end(), right.members.begin(), right.members.end());
}

BigInteger Value::big_integer(std::uint64_t number) {
  BigInteger big{std::string(sizeof number + 1, '\0')};
  std::memcpy(big.bytes.data(), &number, sizeof number);
  return big;
}

Status put(Dict& dict, const Value& key, const Value& value) {
  std::string canonical, face, bytes;
  if (Status status = encode_key(key, &canonical, &face); !status) return status;
  if (Status status = encode_value(value, &bytes); !status) return status;
  Sighting written;
  return dict.put(Key{canonical, face}, bytes, &written);
}

Status get(const Dict& dict, const Value& key, Value* value) {
  std::string canonical, face, bytes;
  if (Status status = encode_key(key, &canonical, &face); !status) return status;
  if (Status status = dict.get(canonical, &bytes); !status) return status;
  return decode_value(bytes, value);
}

Status contains(const Dict& dict, const Value& key) {
  std::string canonical, face;
  if (Status status = encode_key(key, &canonical, &face); !status) return status;
  return dict.contains(canonical);
}

Status erase(Dict& dict, const Value& key) {
  std::string canonical, face;
  if (Status status = encode_key(key, &canonical, &face); !status) return status;
  return dict.erase(canonical);
}

}  // namespace ultradict
