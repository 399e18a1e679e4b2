// SPDX-License-Identifier: Apache-2.0
// Value: a Python object as a C++ program sees it, and the way of such values into and out of a Dict.
//
//   ultradict::put(prices, "AAPL", 189.3);                                  // Python reads prices['AAPL'] == 189.3
//   std::optional<double> price = ultradict::get<double>(prices, "AAPL");   // and the other way round
//
// A value is none, bool, an integer of any size, double, text, bytes, bytearray, tuple, list or dict, nested up to
// nesting_max.
// Whatever else Python stored (a pickle, the output of another serializer) arrives unopened, as Foreign.
// Large values of bytes, and arrays, are read and written without a copy by large_bytes.h.
//
// Equality of keys is Python's: 1, 1.0 and true are one key. Equality of Values (==) is stricter: also the types agree.
//
// Thread safety: as for the standard containers.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "ultradict/bytes.h"
#include "ultradict/dict.h"
#include "ultradict/encoding.h"
#include "ultradict/status.h"

namespace ultradict {

class Value;
struct Pair;

struct None {
  bool operator==(const None&) const = default;
};
// An integer outside int64: two's complement, little-endian, shortest form.
struct BigInteger {
  std::string bytes;
  bool operator==(const BigInteger&) const = default;
  std::optional<std::uint64_t> as_uint64() const;
  std::optional<double> as_double() const;  // the nearest one, as in Python; nothing beyond the largest
};
struct ByteString {
  std::string bytes;
  bool operator==(const ByteString&) const = default;
};
// Bytes that Python code may change in its own copy: a bytearray. Occurs in values only.
struct ByteArray {
  std::string bytes;
  bool operator==(const ByteArray&) const = default;
};
struct Tuple {
  std::vector<Value> items;
};
struct List {
  std::vector<Value> items;
};
// Occurs in keys only; the order of members is without meaning.
struct FrozenSet {
  std::vector<Value> members;
};
// A Python dict as a value, in its order. (A Dict is the shared one.)
struct Mapping {
  std::vector<Pair> items;
};
// What only Python can open: pickle, pickle_with_buffers, foreign_bytes, foreign_text; of an exotic key, its pickle. It
// is stored as it is: what `bytes` hold is for who made them to know. As a key it is known by Record::canonical alone,
// with the calls of Dict.
struct Foreign {
  Tag tag = Tag::pickle;
  std::string bytes;
  bool operator==(const Foreign&) const = default;
};

bool operator==(const Tuple& left, const Tuple& right);
bool operator==(const List& left, const List& right);
bool operator==(const FrozenSet& left, const FrozenSet& right);
bool operator==(const Mapping& left, const Mapping& right);

// The parts of a Value that have a type of their own.
template <class T>
concept ValuePart = std::same_as<T, None> || std::same_as<T, BigInteger> || std::same_as<T, ByteString> ||
    std::same_as<T, ByteArray> || std::same_as<T, Tuple> || std::same_as<T, List> || std::same_as<T, Mapping> ||
    std::same_as<T, FrozenSet> || std::same_as<T, Foreign>;

// bool, and integer types that are numbers: a char is a letter or a byte.
template <class T>
concept Integer = std::integral<T> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
                  !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;
// Those that lose nothing as a double.
template <class T>
concept Real = std::same_as<T, float> || std::same_as<T, double>;

class Value {
 public:
  using Variant = std::variant<None, bool, std::int64_t, BigInteger, double, std::string, ByteString, ByteArray, Tuple,
                               List, Mapping, FrozenSet, Foreign>;

  Value() = default;
  template <Integer T>
  Value(T number);
  template <Real T>
  Value(T number);
  Value(std::nullptr_t) = delete;  // None{} is meant
  Value(const char* text);
  Value(std::string_view text);
  Value(std::string text);
  template <ValuePart T>
  Value(T part);

  const Variant& variant() const noexcept { return variant_; }
  // The value as exactly this alternative, or null.
  template <class T>
  const T* if_is() const noexcept {
    return std::get_if<T>(&variant_);
  }
  // The value as a number or text of C++, if it is one and fits: an integer is a double too, nothing else changes type.
  template <class T>
  std::optional<T> as() const;

  bool operator==(const Value& other) const;

 private:
  static BigInteger big_integer(std::uint64_t number);

  Variant variant_;
};

struct Pair {
  Value key;
  Value value;
  bool operator==(const Pair&) const = default;
};

// What needs Pair to be complete.
template <Integer T>
Value::Value(T number) {
  if constexpr (std::is_same_v<T, bool>) {
    variant_ = number;
  } else if (std::in_range<std::int64_t>(number)) {
    variant_ = static_cast<std::int64_t>(number);
  } else {
    variant_ = big_integer(static_cast<std::uint64_t>(number));
  }
}
template <ValuePart T>
Value::Value(T part) : variant_(std::move(part)) {}
template <Real T>
Value::Value(T number) : variant_(double{number}) {}
inline Value::Value(const char* text) : variant_(std::string(text)) {}
inline Value::Value(std::string_view text) : variant_(std::string(text)) {}
inline Value::Value(std::string text) : variant_(std::move(text)) {}
inline bool Value::operator==(const Value& other) const { return variant_ == other.variant_; }

// ---- encodings ----
// invalid_argument: text that is not UTF-8, nesting deeper than nesting_max, NaN or a list, dict or bytearray in a key.
// damaged: bytes that no encoder writes; *value is then unspecified.

Status encode_value(const Value& value, std::string* bytes);
Status decode_value(Bytes bytes, Value* value);
// The canonical form of a key and, if that does not say how the key looks (true, 1.0), its face; see Key. Where only
// Python can open the face (an IntEnum) decode_key gives the plain key that is equal to it.
Status encode_key(const Value& key, std::string* canonical, std::string* face);
Status decode_key(Bytes canonical, Bytes face, Value* key);

// ---- a Dict of Values ----

Status put(Dict& dict, const Value& key, const Value& value);
Status get(const Dict& dict, const Value& key, Value* value);
Status contains(const Dict& dict, const Value& key);
Status erase(Dict& dict, const Value& key);

// Nothing if there is no such key, or its value is of another type or does not fit; the other get() tells which.
template <class T>
std::optional<T> get(const Dict& dict, const Value& key) {
  Value value;
  if (!get(dict, key, &value)) return std::nullopt;
  return value.as<T>();
}

template <class T>
std::optional<T> Value::as() const {
  const auto* integer = if_is<std::int64_t>();
  const auto* big = if_is<BigInteger>();
  if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>) {
    const T* part = if_is<T>();
    return part ? std::optional<T>(*part) : std::nullopt;
  } else if constexpr (Integer<T>) {
    if (integer && std::in_range<T>(*integer)) return static_cast<T>(*integer);
    const std::optional<std::uint64_t> large = big ? big->as_uint64() : std::nullopt;
    return large && std::in_range<T>(*large) ? std::optional<T>(static_cast<T>(*large)) : std::nullopt;
  } else {
    static_assert(std::is_same_v<T, double>, "bool, an integer type, double or std::string");
    if (integer) return static_cast<double>(*integer);
    if (big) return big->as_double();
    const double* number = if_is<double>();
    return number ? std::optional<double>(*number) : std::nullopt;
  }
}

}  // namespace ultradict
