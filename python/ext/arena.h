// SPDX-License-Identifier: Apache-2.0
// Arena: bytes that stay where they are until all of them go.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "ultradict/bytes.h"

namespace ultradict::python {

class Arena {
 public:
  std::size_t size() const noexcept { return size_; }

  // A copy of the parts, one behind the other. May throw std::bad_alloc.
  Bytes add(const std::vector<Bytes>& parts) {
    std::size_t size = 0;
    for (const Bytes part : parts) size += part.size();
    if (size > room_) add_chunk(size);
    const char* const begin = free_;
    for (const Bytes part : parts) add(part);
    return {begin, size};
  }
  // A copy of `bytes`. May throw std::bad_alloc.
  Bytes add(Bytes bytes) {
    if (bytes.empty()) return {};
    if (bytes.size() > room_) add_chunk(bytes.size());
    char* const copy = free_;
    std::memcpy(copy, bytes.data(), bytes.size());
    free_ += bytes.size();
    room_ -= bytes.size();
    size_ += bytes.size();
    return {copy, bytes.size()};
  }

 private:
  static constexpr std::size_t chunk_size_min = 4096;
  static constexpr std::size_t chunk_size_max = 1 << 20;

  void add_chunk(std::size_t size) {
    const std::size_t wanted = std::max(size, std::clamp(size_, chunk_size_min, chunk_size_max));
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(wanted));
    free_ = chunks_.back().get();
    room_ = wanted;
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* free_ = nullptr;
  std::size_t room_ = 0;
  std::size_t size_ = 0;
};

}  // namespace ultradict::python
