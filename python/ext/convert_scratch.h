// SPDX-License-Identifier: Apache-2.0
// Scratch: the byte buffer that encoders fill. It lives on the stack of one operation and holds a small key or value
// without allocating.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "ref.h"
#include "ultradict/bytes.h"

namespace ultradict::python {

class Scratch {
 public:
  Scratch() noexcept {}  // the bytes of its own stay as they are
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (data_ != own_) std::free(data_);
  }

  const char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  Bytes bytes() const noexcept { return Bytes(data_, size_); }

  void clear() noexcept { size_ = 0; }
  // Forgets everything after the first `size` bytes.
  void truncate(std::size_t size) noexcept { size_ = size; }

  // At least `size` writable bytes behind the contents; they count once advance() says so. Null with MemoryError
  // raised.
  char* room(std::size_t size) noexcept {
    if (capacity_ - size_ < size && !grow(size)) return nullptr;
    return data_ + size_;
  }
  // The contents end at `end`, which lies in the room.
  void advance_to(const char* end) noexcept { size_ = static_cast<std::size_t>(end - data_); }

  bool append(const void* bytes, std::size_t size) noexcept {
    if (size == 0) return true;
    char* out = room(size);
    if (out == nullptr) return false;
    std::memcpy(out, bytes, size);
    size_ += size;
    return true;
  }
  bool append(Bytes bytes) noexcept { return append(bytes.data(), bytes.size()); }

 private:
  static constexpr std::size_t own_size = 192;         // bytes
  static constexpr std::size_t grown_size_min = 4096;  // bytes

  bool grow(std::size_t size) noexcept {
    const std::size_t wanted = size_ + size;
    if (wanted < size) return PyErr_NoMemory(), false;
    const std::size_t rounded = std::max(wanted + wanted / 2, grown_size_min);
    auto* moved = static_cast<char*>(std::realloc(data_ == own_ ? nullptr : data_, rounded));
    if (moved == nullptr) return PyErr_NoMemory(), false;
    if (data_ == own_) std::memcpy(moved, own_, size_);
    data_ = moved;
    capacity_ = rounded;
    return true;
  }

  char* data_ = own_;
  std::size_t size_ = 0;
  std::size_t capacity_ = own_size;
  char own_[own_size];
};

}  // namespace ultradict::python
