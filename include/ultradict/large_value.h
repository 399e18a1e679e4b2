// SPDX-License-Identifier: Apache-2.0
// Large values, of more than blob_size_min bytes: each is a file of its own, never changed and never moved. Keys and
// values are bytes without a meaning here, for C++ programs among themselves; what Python is to read, and what it
// wrote, goes through large_bytes.h.
//
//   StagedValue staged;                        written without the lock, whatever its size
//   dict.stage(parts, &staged);
//   dict.put(Key{"frame"}, &staged, nullptr);  shown to everybody by one change
//
//   MappedValue frame;                         read in place, without a copy
//   dict.map("frame", &frame);                 the key of these very bytes: Python's "frame" is another one
#pragma once

#include <cstdint>
#include <memory>

#include "ultradict/bytes.h"

namespace ultradict {

class Store;
class NewValue;

// A large value that is in shared memory and not in the dict yet. If it is not put, its memory is given back with it.
// Belongs to one thread.
class StagedValue {
 public:
  StagedValue() noexcept;
  StagedValue(StagedValue&&) noexcept;
  StagedValue& operator=(StagedValue&&) noexcept;
  ~StagedValue();
  std::uint64_t size() const noexcept;  // bytes; 0: nothing is staged

 private:
  friend class Dict;
  std::shared_ptr<Store> store_;
  std::unique_ptr<NewValue> value_;
};

// The bytes of a large value in shared memory, to be read only. They stay as they are until this ends, whatever happens
// to the key, the dict, the name or the handle; so long they take memory.
class MappedValue {
 public:
  MappedValue() noexcept = default;
  MappedValue(MappedValue&& other) noexcept { *this = static_cast<MappedValue&&>(other); }
  MappedValue& operator=(MappedValue&& other) noexcept;
  ~MappedValue();

  Bytes bytes() const noexcept { return {base_, size_}; }
  // Whether they are what was written. Reads them all.
  bool is_intact() const noexcept;

 private:
  friend class Dict;
  const char* base_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t checksum_ = 0;
};

}  // namespace ultradict
