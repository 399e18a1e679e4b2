// SPDX-License-Identifier: Apache-2.0
// Bytes -> values of C++ programs. The bytes come from shared memory and may be anything: every size is checked against
// what is left, nesting is bounded, and no allocation is larger than a fixed multiple of the bytes there are.
#include "ultradict/value.h"
#include "ultradict/wire.h"

namespace ultradict {

namespace {

class Parser {
 public:
  Parser(Bytes bytes, bool is_key) : reader_(bytes), is_key_(is_key) {}

  bool whole(Value* value) { return parse(value, 0) && reader_.at_end(); }

 private:
  bool parse(Value* value, int depth) {
    Tag tag{};
    if (depth > nesting_max || !reader_.tag(&tag)) return false;
    switch (tag) {
      case Tag::none:
        return *value = None{}, true;
      case Tag::no:
        return *value = false, true;
      case Tag::yes:
        return *value = true, true;
      case Tag::int64:
        return integer(value);
      case Tag::big_int:
        return big_integer(value);
      case Tag::float64:
        return float64(value);
      case Tag::ascii:
      case Tag::text:
        return text(tag, value);
      case Tag::bytes:
        return byte_string<ByteString>(value);
      case Tag::byte_array:
        return !is_key_ && byte_string<ByteArray>(value);
      case Tag::tuple:
        return sequence<Tuple>(value, depth);
      case Tag::list:
        return !is_key_ && sequence<List>(value, depth);
      case Tag::dict:
        return !is_key_ && mapping(value, depth);
      case Tag::frozen_set:
        return is_key_ && frozen_set(value, depth);
      case Tag::pickle:
      case Tag::foreign_bytes:
      case Tag::foreign_text:
      case Tag::pickle_with_buffers:
      case Tag::unique:
        return depth == 0 && foreign(tag, value);
    }
    return false;
  }

  bool integer(Value* value) {
    std::int64_t number = 0;
    if (!reader_.int64(&number)) return false;
    *value = number;
    return true;
  }

  bool big_integer(Value* value) {
    Bytes bytes;
    if (!reader_.sized(&bytes) || !is_big_integer(bytes)) return false;
    *value = BigInteger{std::string(bytes)};
    return true;
  }

  bool float64(Value* value) {
    double number = 0;
    if (!reader_.float64(&number)) return false;
    *value = number;
    return true;
  }

  bool text(Tag tag, Value* value) {
    Bytes bytes;
    if (!reader_.sized(&bytes) || !(tag == Tag::ascii ? is_ascii(bytes) : is_text(bytes))) return false;
    *value = bytes;
    return true;
  }

  template <class Kind>
  bool byte_string(Value* value) {
    Bytes bytes;
    if (!reader_.sized(&bytes)) return false;
    *value = Kind{std::string(bytes)};
    return true;
  }

  bool items(std::vector<Value>* items, int depth) {
    std::size_t count = 0;
    if (!reader_.count(1, &count)) return false;
    items->resize(count);
    for (Value& item : *items) {
      if (!parse(&item, depth + 1)) return false;
    }
    return true;
  }

  template <class Sequence>
  bool sequence(Value* value, int depth) {
    Sequence sequence;
    if (!items(&sequence.items, depth)) return false;
    *value = std::move(sequence);
    return true;
  }

  bool frozen_set(Value* value, int depth) {
    FrozenSet set;
    if (!items(&set.members, depth)) return false;
    *value = std::move(set);
    return true;
  }

  bool mapping(Value* value, int depth) {
    std::size_t count = 0;
    if (!reader_.count(2, &count)) return false;
    Mapping mapping;
    mapping.items.resize(count);
    for (Pair& pair : mapping.items) {
      if (!parse(&pair.key, depth + 1) || !parse(&pair.value, depth + 1)) return false;
    }
    *value = std::move(mapping);
    return true;
  }

  bool foreign(Tag tag, Value* value) {
    Foreign foreign{tag, std::string(reader_.rest())};
    if (tag == Tag::unique && (!is_key_ || foreign.bytes.size() != unique_size)) return false;
    if (tag == Tag::foreign_text && !is_text(foreign.bytes)) return false;
    if (is_key_ && (tag == Tag::foreign_bytes || tag == Tag::foreign_text)) return false;
    *value = std::move(foreign);
    return true;
  }

  WireReader reader_;
  bool is_key_;
};

}  // namespace

Status decode_value(Bytes bytes, Value* value) {
  if (Parser(bytes, false).whole(value)) return {};
  return Status(Code::damaged, "the bytes of a value are no encoding of one");
}

// A face that only Python can open says less than the plain key that is equal to it.
Status decode_key(Bytes canonical, Bytes face, Value* key) {
  const auto tag_of = [](Bytes bytes) { return bytes.empty() ? Tag::none : static_cast<Tag>(bytes.front()); };
  const bool is_plain = face.empty() || (tag_of(face) == Tag::pickle && tag_of(canonical) != Tag::unique);
  if (Parser(is_plain ? canonical : face, true).whole(key)) return {};
  return Status(Code::damaged, "the bytes of a key are no encoding of one");
}

}  // namespace ultradict
