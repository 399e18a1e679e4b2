// SPDX-License-Identifier: Apache-2.0
// Implements include/ultradict/large_bytes.h: where in the encoding of a large value its buffers lie, and the few bytes
// before those that are written.
#include "ultradict/large_bytes.h"

#include <string>
#include <utility>

#include "ultradict/wire.h"

namespace ultradict {

namespace {

// Of a value without a buffer; null: no encoder makes a large value of that tag.
const char* kind_of(Tag tag) {
  switch (tag) {
    case Tag::big_int:
      return "an integer";
    case Tag::tuple:
      return "a tuple";
    case Tag::list:
      return "a list";
    case Tag::dict:
      return "a dict";
    case Tag::foreign_bytes:
    case Tag::foreign_text:
      return "encoded by the dict's serializer";
    case Tag::pickle:
      return "pickled without buffers of its own (an array has one if it is contiguous, and not of dates or objects)";
    default:
      return nullptr;
  }
}

// False: there are none, or the value is damaged.
bool find_buffers(Bytes value, Tag tag, std::vector<Bytes>* buffers) {
  switch (tag) {
    case Tag::ascii:
    case Tag::text:
    case Tag::bytes:
    case Tag::byte_array: {
      WireReader reader(value.substr(1));
      return reader.sized(&buffers->emplace_back()) && reader.at_end();
    }
    case Tag::pickle_with_buffers: {
      PickleParts parts;
      if (!split_pickle(value, &parts)) return false;
      *buffers = std::move(parts.buffers);
      return !buffers->empty();
    }
    default:
      return false;
  }
}

Status refuse(const Dict& dict, Bytes value, Tag tag) {
  const std::string place = "dict '" + dict.name() + "': a value of " + std::to_string(value.size()) + " bytes ";
  if (const char* kind = kind_of(tag)) {
    return Status(Code::invalid_argument, place + "is " + kind + ": nothing in it can be mapped; get() it");
  }
  return Status(Code::damaged, place + "is damaged: they are no encoding of one; put it anew, or erase its key");
}

}  // namespace

Status map(const Dict& dict, const Value& key, MappedBytes* mapped) {
  *mapped = MappedBytes();
  std::string canonical, face;
  if (Status status = encode_key(key, &canonical, &face); !status) return status;
  MappedBytes found;
  if (Status status = dict.map(canonical, &found.value_); !status) return status;
  const Bytes value = found.value_.bytes();
  Tag tag{};
  (void)WireReader(value).tag(&tag);  // of an empty value none
  if (!find_buffers(value, tag, &found.buffers_)) return refuse(dict, value, tag);
  *mapped = std::move(found);
  return {};
}

Status put_bytes(Dict& dict, const Value& key, std::span<const Bytes> parts) {
  std::string canonical, face;
  if (Status status = encode_key(key, &canonical, &face); !status) return status;
  std::uint64_t size = 0;
  for (const Bytes part : parts) size += part.size();
  char head[1 + varint_size_max];
  const char* const head_end = write_varint(write_tag(head, Tag::bytes), size);
  std::vector<Bytes> whole{Bytes(head, static_cast<std::size_t>(head_end - head))};
  whole.insert(whole.end(), parts.begin(), parts.end());
  size += whole.front().size();
  if (size > blob_size_min) {
    StagedValue staged;
    if (Status status = dict.stage(whole, &staged); !status) return status;
    return dict.put(Key{canonical, face}, &staged, nullptr);
  }
  std::string bytes;
  for (const Bytes part : whole) bytes += part;
  Sighting written;
  return dict.put(Key{canonical, face}, bytes, &written);
}

}  // namespace ultradict
