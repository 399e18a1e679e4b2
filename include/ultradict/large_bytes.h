// SPDX-License-Identifier: Apache-2.0
// Frames, arrays and other large values, of more than blob_size_min bytes, between C++ and Python without a copy: what
// large_value.h offers, for keys and values as Python has them.
//
//   ultradict::MappedBytes frame;                                     // Python: d["frame"] = array, or bytes
//   if (ultradict::map(dict, "frame", &frame)) show(frame.bytes());   // its elements, where they lie
//
//   const ultradict::Status status =                                  // Python: d["mask"], as bytes, or in place
//       ultradict::put_bytes(dict, "mask", {head, pixels});           // np.frombuffer(d.view("mask"), np.uint8)
//
// Of an array only the elements are shared, as they lie in the memory of who wrote it: type, shape and order are what
// both programs agree on. They begin at a multiple of buffer_alignment. The content of bytes begins behind its size, at
// no such place: elements wider than a byte are to be copied out (std::memcpy); NumPy reads them there all the same.
//
// Thread safety: as for the standard containers; the dict as in dict.h.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "ultradict/bytes.h"
#include "ultradict/dict.h"
#include "ultradict/large_value.h"
#include "ultradict/status.h"
#include "ultradict/value.h"

namespace ultradict {

// What of a large value can be shared, to be read only. It stays as it is as long as this does; see MappedValue.
class MappedBytes {
 public:
  // All that bytes, a bytearray or a text (UTF-8, unchecked) holds; of any other object its first buffer.
  Bytes bytes() const noexcept { return buffers_.empty() ? Bytes() : buffers_.front(); }
  // One, or of an object that Python pickles with buffers (a NumPy array: one; a data frame or an Arrow table: several)
  // these, in their order.
  std::span<const Bytes> buffers() const noexcept { return buffers_; }
  // Whether they are what was written. Reads all of the value; map() checks no more than that the buffers lie in it.
  bool is_intact() const noexcept { return value_.is_intact(); }

 private:
  friend Status map(const Dict& dict, const Value& key, MappedBytes* mapped);
  MappedValue value_;
  std::vector<Bytes> buffers_;
};

// not_found, is_dict as get; invalid_argument if the value is a small one or nothing in it can be mapped (a list, an
// array with gaps): get() it; damaged. Then nothing is mapped.
Status map(const Dict& dict, const Value& key, MappedBytes* mapped);

// Puts the parts, one behind the other, as one ByteString of whatever size. A large one is written from where they lie,
// before the lock is taken.
Status put_bytes(Dict& dict, const Value& key, std::span<const Bytes> parts);
inline Status put_bytes(Dict& dict, const Value& key, std::initializer_list<Bytes> parts) {
  return put_bytes(dict, key, std::span(parts.begin(), parts.size()));
}

}  // namespace ultradict
