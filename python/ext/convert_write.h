// SPDX-License-Identifier: Apache-2.0
// Writers of the scalars that keys and values share. What is short and frequent is inline; each needs an object whose
// type is the named one or a subclass, and runs no code of that subclass.
#pragma once

#include "convert_scratch.h"
#include "ref.h"
#include "same_key.h"
#include "ultradict/wire.h"

namespace ultradict::python {

// An integer outside int64.
bool write_big_integer(PyObject* integer, Scratch* out);
// Text with characters beyond ASCII.
bool write_wide_text(PyObject* text, Scratch* out);
// Any text, without tag and size.
bool write_bare_text(PyObject* text, Scratch* out);

inline bool write_mark(Tag tag, Scratch* out) {
  char* at = out->room(1);
  if (at == nullptr) return false;
  out->advance_to(write_tag(at, tag));
  return true;
}

inline bool write_count(Tag tag, std::size_t count, Scratch* out) {
  char* at = out->room(1 + varint_size_max);
  if (at == nullptr) return false;
  out->advance_to(write_varint(write_tag(at, tag), count));
  return true;
}

// Room for `size` bytes, after their tag and size have been written.
inline char* write_size(Tag tag, std::size_t size, Scratch* out) {
  char* at = out->room(1 + varint_size_max + size);
  if (at == nullptr) return nullptr;
  at = write_varint(write_tag(at, tag), size);
  out->advance_to(at);
  return at;
}

inline bool write_sized(Tag tag, const void* bytes, std::size_t size, Scratch* out) {
  char* at = write_size(tag, size, out);
  if (at == nullptr) return false;
  std::memcpy(at, bytes, size);
  out->advance_to(at + size);
  return true;
}

inline bool write_integer(PyObject* integer, Scratch* out) {
  long small = 0;
  int overflow = 0;
  const long long number = small_int(integer, &small) ? small : PyLong_AsLongLongAndOverflow(integer, &overflow);
  if (overflow != 0) return write_big_integer(integer, out);
  char* at = out->room(int64_size_max);
  if (at == nullptr) return false;
  out->advance_to(write_int64(at, number));
  return true;
}

inline bool write_float(double number, Scratch* out) {
  char* at = out->room(1 + float64_size);
  if (at == nullptr) return false;
  out->advance_to(write_float64(write_tag(at, Tag::float64), number));
  return true;
}

inline bool write_text(PyObject* text, Scratch* out) {
#if PY_VERSION_HEX < 0x030C0000
  if (PyUnicode_READY(text) < 0) return false;
#endif
  if (!PyUnicode_IS_ASCII(text)) return write_wide_text(text, out);
  return write_sized(Tag::ascii, PyUnicode_DATA(text), static_cast<std::size_t>(PyUnicode_GET_LENGTH(text)), out);
}

inline bool write_bytes(PyObject* bytes, Scratch* out) {
  return write_sized(Tag::bytes, PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes)), out);
}

inline bool write_byte_array(PyObject* array, Scratch* out) {
  Py_buffer buffer;  // keeps it at its size
  if (PyObject_GetBuffer(array, &buffer, PyBUF_SIMPLE) < 0) return false;
  const bool succeeded = write_sized(Tag::byte_array, buffer.buf, static_cast<std::size_t>(buffer.len), out);
  PyBuffer_Release(&buffer);
  return succeeded;
}

}  // namespace ultradict::python
