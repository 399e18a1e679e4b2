// SPDX-License-Identifier: Apache-2.0
#include "encoded.h"

namespace ultradict::python {

namespace {

constexpr char zeros[64] = {};

}  // namespace

Encoded::Tail& Encoded::tail() {
  if (!tail_) tail_ = std::make_unique<Tail>();
  return *tail_;
}

bool Encoded::add_buffer(PyObject* exporter) {
  Tail& to = tail();
  Py_buffer& buffer = to.buffers.emplace_back();
  // As bytes in the order of memory, whether C's or Fortran's: what the order means is in the pickle.
  if (PyObject_GetBuffer(exporter, &buffer, PyBUF_ANY_CONTIGUOUS) != 0) return to.buffers.pop_back(), false;
  to.parts.emplace_back(static_cast<const char*>(buffer.buf), static_cast<std::size_t>(buffer.len));
  to.size += static_cast<std::size_t>(buffer.len);
  return true;
}

bool Encoded::align(std::size_t alignment) {
  const std::size_t missing = (alignment - size() % alignment) % alignment;
  if (missing == 0) return true;
  tail().parts.emplace_back(zeros, missing);
  tail().size += missing;
  return true;
}

bool Encoded::gather() {
  if (!tail_ || is_large()) return true;
  for (const Bytes part : tail_->parts) {
    if (!head.append(part)) return false;
  }
  tail_.reset();
  return true;
}

std::vector<Bytes> Encoded::parts() const {
  std::vector<Bytes> all{head.bytes()};
  if (tail_) all.insert(all.end(), tail_->parts.begin(), tail_->parts.end());
  return all;
}

}  // namespace ultradict::python
