// SPDX-License-Identifier: Apache-2.0
// Bytes: a borrowed range of memory. Buffer: memory that a caller lends again and again, so that reads need no
// allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace ultradict {

// Keys and values are byte strings to the engine; what they mean is the business of value.h.
using Bytes = std::string_view;

// Grows and is never shrunk; its contents are not kept when it grows. Not safe to share between threads.
class Buffer {
 public:
  // At least `size` writable bytes; nullptr when there is no memory for them.
  char* reserve(std::size_t size) noexcept {
    if (size > capacity_) grow(size);
    return size <= capacity_ ? data_.get() : nullptr;
  }
  char* data() noexcept { return data_.get(); }
  const char* data() const noexcept { return data_.get(); }
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  void grow(std::size_t size) noexcept {
    const std::size_t rounded = size < 256 ? 256 : size + size / 2;
    data_.reset(new (std::nothrow) char[rounded]);
    capacity_ = data_ ? rounded : 0;
  }

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
};

}  // namespace ultradict
