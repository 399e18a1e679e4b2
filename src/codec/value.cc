// SPDX-License-Identifier: Apache-2.0
// Value: comparison, integers beyond int64, and the few lines between a Value and a Dict.
#include "ultradict/value.h"

#include <algorithm>
#include <cmath>

#include "ultradict/wire.h"

namespace ultradict {

bool operator==(const Tuple& left, const Tuple& right) { return left.items == right.items; }
bool operator==(const List& left, const List& right) { return left.items == right.items; }
bool operator==(const Mapping& left, const Mapping& right) { return left.items == right.items; }
bool operator==(const FrozenSet& left, const FrozenSet& right) {
  return std::is_permutation(left.members.begin(), left.members.end(), right.members.begin(), right.members.end());
}

std::optional<std::uint64_t> BigInteger::as_uint64() const {
  std::uint64_t number = 0;
  if (bytes.size() != sizeof number + 1 || bytes.back() != 0) return std::nullopt;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

namespace {

bool is_negative(const std::string& bytes) { return !bytes.empty() && (bytes.back() & 0x80) != 0; }

std::string absolute(std::string bytes) {
  bool carry = is_negative(bytes);
  if (!carry) return bytes;
  for (char& byte : bytes) {
    byte = static_cast<char>(~byte + (carry ? 1 : 0));
    carry = carry && byte == 0;
  }
  return bytes;
}

}  // namespace

// Its 64 highest bits, of which the lowest also stands for all below, are rounded as the whole would be.
std::optional<double> BigInteger::as_double() const {
  const std::string magnitude = absolute(bytes);
  std::uint64_t highest = 0;
  int dropped = 0;
  for (std::size_t at = magnitude.size() * 8; at-- > 0;) {
    const std::uint64_t bit = static_cast<unsigned char>(magnitude[at / 8]) >> at % 8 & 1;
    if (highest >> 63 != 0) {
      highest |= bit;
      ++dropped;
    } else {
      highest = highest << 1 | bit;
    }
  }
  const double number = std::ldexp(static_cast<double>(highest), dropped);
  if (std::isinf(number)) return std::nullopt;
  return is_negative(bytes) ? -number : number;
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
