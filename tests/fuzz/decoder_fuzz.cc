// SPDX-License-Identifier: Apache-2.0
// The decoder: any bytes are a value, a key, or damage. What was decoded is encoded again, and then it is itself. The
// first byte says as what the others are read; of a key the second one says how many of them are its face. The buffers
// of a pickle lie in its value, one behind the other, each at its place.
#include <string>

#include "harness/input.h"
#include "ultradict/value.h"
#include "ultradict/wire.h"

namespace ultradict::fuzz {
namespace {

void read_value(Bytes bytes) {
  Value value;
  const Status decoded = decode_value(bytes, &value);
  expect(decoded || decoded.code() == Code::damaged, "a value is decoded or damaged");
  std::string once;
  if (!decoded) return;
  const Status encoded = encode_value(value, &once);
  // What no object of Python can be, a dict with a list as a key, is written by nobody.
  if (encoded.code() == Code::invalid_argument) return;
  expect(static_cast<bool>(encoded), "what was decoded can be encoded");
  std::string twice;
  expect(decode_value(once, &value) && encode_value(value, &twice), "what was encoded can be decoded");
  expect(once == twice, "a value comes back as it was");
}

void read_buffers(Bytes value) {
  PickleParts parts;
  if (value.empty() || static_cast<Tag>(value.front()) != Tag::pickle_with_buffers) return;
  if (!split_pickle(value, &parts)) return;
  const char* end = parts.pickle.data() + parts.pickle.size();
  for (const Bytes buffer : parts.buffers) {
    expect(buffer.data() >= end, "a buffer lies behind the one before it");
    expect((buffer.data() - value.data()) % buffer_alignment == 0, "a buffer is aligned");
    end = buffer.data() + buffer.size();
  }
  expect(end == value.data() + value.size(), "the buffers are all there is");
}

void read_key(Bytes canonical, Bytes face) {
  Value key;
  const Status decoded = decode_key(canonical, face, &key);
  expect(decoded || decoded.code() == Code::damaged, "a key is decoded or damaged");
  std::string once;
  std::string face_once;
  if (!decoded || !encode_key(key, &once, &face_once)) return;
  std::string twice;
  std::string face_twice;
  Value again;
  expect(decode_key(once, face_once, &again) && encode_key(again, &twice, &face_twice), "a key can be decoded");
  expect(once == twice && face_once == face_twice, "a key comes back as it was");
}

}  // namespace
}  // namespace ultradict::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ultradict::fuzz::Input input(data, size);
  const bool is_key = input.byte() % 2 != 0;
  const std::size_t face_size = is_key ? input.byte() : 0;
  const ultradict::Bytes bytes(reinterpret_cast<const char*>(input.rest()), input.left());
  if (!is_key) {
    ultradict::fuzz::read_value(bytes);
    ultradict::fuzz::read_buffers(bytes);
  } else {
    const std::size_t split = bytes.size() - (face_size < bytes.size() ? face_size : bytes.size());
    ultradict::fuzz::read_key(bytes.substr(0, split), bytes.substr(split));
  }
  return 0;
}
