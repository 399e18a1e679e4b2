// SPDX-License-Identifier: Apache-2.0
// Encoded: a value as bytes, on its way to the engine. A small one lies in a Scratch as a whole; of a large one only
// the begin does, and the rest stays where it is, in buffers of Python objects that are held meanwhile.
//
// Thread safety: belongs to one thread; parts() may be read without the interpreter lock. What a buffer holds may be
// changed by other threads while it is read.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "convert_scratch.h"
#include "ultradict/options.h"

namespace ultradict::python {

class Encoded {
 public:
  Encoded() noexcept = default;
  Encoded(const Encoded&) = delete;
  Encoded& operator=(const Encoded&) = delete;

  Scratch head;

  void clear() noexcept {
    head.clear();
    tail_.reset();
  }
  std::size_t size() const noexcept { return head.size() + (tail_ ? tail_->size : 0); }
  bool is_large() const noexcept { return size() > blob_size_min; }

  // Adds the bytes of an object with the buffer protocol behind what is there. BufferError if it is not contiguous.
  bool add_buffer(PyObject* exporter);
  // Adds zeros until the size is a multiple of `alignment`, at most 64.
  bool align(std::size_t alignment);
  // A value that is small after all becomes whole, in `head`.
  bool gather();
  // The whole value, in order; valid as long as this is unchanged. Throws std::bad_alloc.
  std::vector<Bytes> parts() const;

 private:
  struct Tail {
    ~Tail() {
      if (is_unwound()) return;
      for (Py_buffer& buffer : buffers) let_go(&buffer);
    }
    std::deque<Py_buffer> buffers;  // they stay where they are: some exporters keep pointers into them
    std::vector<Bytes> parts;
    std::size_t size = 0;
  };
  Tail& tail();

  std::unique_ptr<Tail> tail_;
};

}  // namespace ultradict::python
