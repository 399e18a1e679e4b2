// SPDX-License-Identifier: Apache-2.0
// Values of C++ programs -> bytes. One writer, three forms: a value as it is, a key as it was inserted (its face), and
// the canonical form of a key, in which equal keys are equal bytes.
#include <algorithm>
#include <cmath>

#include "ultradict/value.h"
#include "ultradict/wire.h"

namespace ultradict {

namespace {

enum class Form { value, face, canonical };

Status refuse(const char* message) { return Status(Code::invalid_argument, message); }

class Writer {
 public:
  Writer(Form form, std::string* out) : form_(form), out_(out) {}

  // Whether what was written says all about the types; false for a canonical form with a bool or an integral float in
  // it.
  bool faithful() const { return faithful_; }

  Status write(const Value& value, int depth) {
    if (depth > nesting_max) return refuse("the value is nested too deeply");
    return std::visit([&](const auto& part) { return write(part, depth); }, value.variant());
  }

 private:
  Status write(None, int) { return mark(Tag::none); }

  Status write(bool yes, int) {
    if (form_ != Form::canonical) return mark(yes ? Tag::yes : Tag::no);
    faithful_ = false;
    return write(std::int64_t{yes}, 0);
  }

  Status write(std::int64_t number, int) {
    char bytes[int64_size_max];
    out_->append(bytes, write_int64(bytes, number));
    return {};
  }

  Status write(const BigInteger& number, int) {
    if (!is_big_integer(number.bytes)) return refuse("a big integer must lie outside int64, in its shortest form");
    return sized(Tag::big_int, number.bytes);
  }

  Status write(double number, int) {
    if (form_ != Form::value && std::isnan(number)) return refuse("NaN cannot be a key: it equals nothing");
    char bytes[float_key_size_max];
    if (form_ != Form::canonical) {
      out_->append(bytes, write_float64(write_tag(bytes, Tag::float64), number));
      return {};
    }
    char* end = write_float_key(bytes, number);
    faithful_ = faithful_ && bytes[0] == static_cast<char>(Tag::float64);
    out_->append(bytes, end);
    return {};
  }

  Status write(const std::string& text, int) {
    if (is_ascii(text)) return sized(Tag::ascii, text);
    if (!is_text(text)) return refuse("text must be UTF-8; other bytes are a ByteString");
    return sized(Tag::text, text);
  }

  Status write(const ByteString& bytes, int) { return sized(Tag::bytes, bytes.bytes); }

  Status write(const ByteArray& array, int) {
    if (must_be_hashable()) return refuse("a bytearray cannot be a key");
    return sized(Tag::byte_array, array.bytes);
  }

  Status write(const Tuple& tuple, int depth) { return sequence(Tag::tuple, tuple.items, depth); }

  Status write(const List& list, int depth) {
    if (must_be_hashable()) return refuse("a list cannot be a key");
    return sequence(Tag::list, list.items, depth);
  }

  Status write(const Mapping& mapping, int depth) {
    if (must_be_hashable()) return refuse("a dict cannot be a key");
    counted(Tag::dict, mapping.items.size());
    for (const Pair& pair : mapping.items) {
      ++keys_around_;
      Status status = write(pair.key, depth + 1);
      --keys_around_;
      if (status) status = write(pair.value, depth + 1);
      if (!status) return status;
    }
    return {};
  }

  Status write(const FrozenSet& set, int depth) {
    if (form_ == Form::value) return refuse("a frozenset can only be a key");
    std::vector<std::string> members;
    for (const Value& member : set.members) {
      Writer writer(form_, &members.emplace_back());
      if (Status status = writer.write(member, depth + 1); !status) return status;
      faithful_ = faithful_ && writer.faithful();
    }
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
    counted(Tag::frozen_set, members.size());
    for (const std::string& member : members) out_->append(member);
    return {};
  }

  Status write(const Foreign& foreign, int depth) {
    const bool storable = foreign.tag == Tag::pickle || foreign.tag == Tag::foreign_bytes ||
                          foreign.tag == Tag::foreign_text || foreign.tag == Tag::pickle_with_buffers;
    if (form_ != Form::value || depth != 0 || !storable) return refuse("a foreign encoding can only be a whole value");
    (void)mark(foreign.tag);
    out_->append(foreign.bytes);
    return {};
  }

  bool must_be_hashable() const { return form_ != Form::value || keys_around_ != 0; }

  Status sequence(Tag tag, const std::vector<Value>& items, int depth) {
    counted(tag, items.size());
    for (const Value& item : items) {
      if (Status status = write(item, depth + 1); !status) return status;
    }
    return {};
  }

  Status sized(Tag tag, const std::string& bytes) {
    counted(tag, bytes.size());
    out_->append(bytes);
    return {};
  }

  void counted(Tag tag, std::size_t count) {
    char bytes[1 + varint_size_max];
    out_->append(bytes, write_varint(write_tag(bytes, tag), count));
  }

  Status mark(Tag tag) {
    out_->push_back(static_cast<char>(tag));
    return {};
  }

  Form form_;
  std::string* out_;
  bool faithful_ = true;
  int keys_around_ = 0;  // how many keys of dicts the value being written is a part of
};

}  // namespace

Status encode_value(const Value& value, std::string* bytes) {
  bytes->clear();
  return Writer(Form::value, bytes).write(value, 0);
}

Status encode_key(const Value& key, std::string* canonical, std::string* face) {
  canonical->clear();
  face->clear();
  Writer writer(Form::canonical, canonical);
  if (Status status = writer.write(key, 0); !status || writer.faithful()) return status;
  return Writer(Form::face, face).write(key, 0);
}

}  // namespace ultradict
