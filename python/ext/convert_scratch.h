// SPDX-License-Identifier: Apache-2.0
// Scratch: the byte buffer that encoders fill, used again and again so that encoding a small key or value allocates
// nothing. Encoding may run Python code, and that code may come back and encode: a Scratch in use must not be handed to
// such a call.
#pragma once

#include <cstdlib>
#include <cstring>

#include "ref.h"
#include "ultradict/bytes.h"

namespace ultradict::python {

class Scratch {
 public:
  Scratch() noexcept = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::free(data_); }

  const char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  Bytes bytes() const noexcept { return Bytes(data_, size_); }

  // Empty again. What one huge value needed is not kept for ever.
  void clear() noexcept {
    size_ = 0;
    if (capacity_ > kept_size_max) release();
  }
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
  static constexpr std::size_t first_size = 256;         // bytes
  static constexpr std::size_t kept_size_max = 1 << 20;  // bytes

  void release() noexcept {
    std::free(data_);
    data_ = nullptr;
    capacity_ = 0;
  }

  bool grow(std::size_t size) noexcept {
    const std::size_t wanted = size_ + size;
    if (wanted < size) return PyErr_NoMemory(), false;
    const std::size_t rounded = wanted < first_size ? first_size : wanted + wanted / 2;
    auto* moved = static_cast<char*>(std::realloc(data_, rounded));
    if (moved == nullptr) return PyErr_NoMemory(), false;
    data_ = moved;
    capacity_ = rounded;
    return true;
  }

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace ultradict::python
