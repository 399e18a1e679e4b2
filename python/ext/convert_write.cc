// SPDX-License-Identifier: Apache-2.0
// The longer writers of scalars: integers beyond int64, and text beyond ASCII, which may hold lone surrogates and is
// encoded here so that Python need not attach a UTF-8 copy to every string that was ever stored.
#include "convert_write.h"

namespace ultradict::python {

namespace {

std::size_t utf8_size(Py_UCS4 character) noexcept {
  return 1 + (character >= 0x80 ? 1 : 0) + (character >= 0x800 ? 1 : 0) + (character >= 0x10000 ? 1 : 0);
}

char* write_utf8(char* out, Py_UCS4 character) noexcept {
  const auto low_bits = [&](int shift) { return static_cast<char>(0x80 | ((character >> shift) & 0x3f)); };
  if (character < 0x80) {
    *out++ = static_cast<char>(character);
  } else if (character < 0x800) {
    *out++ = static_cast<char>(0xc0 | (character >> 6));
    *out++ = low_bits(0);
  } else if (character < 0x10000) {
    *out++ = static_cast<char>(0xe0 | (character >> 12));
    *out++ = low_bits(6);
    *out++ = low_bits(0);
  } else {
    *out++ = static_cast<char>(0xf0 | (character >> 18));
    *out++ = low_bits(12);
    *out++ = low_bits(6);
    *out++ = low_bits(0);
  }
  return out;
}

// Calls `use` with the characters of `text`, at their own width.
template <class Use>
auto with_characters(PyObject* text, Use use) {
  const auto count = static_cast<std::size_t>(PyUnicode_GET_LENGTH(text));
  switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
      return use(PyUnicode_1BYTE_DATA(text), count);
    case PyUnicode_2BYTE_KIND:
      return use(PyUnicode_2BYTE_DATA(text), count);
    default:
      return use(PyUnicode_4BYTE_DATA(text), count);
  }
}

std::size_t text_size(PyObject* text) noexcept {
  return with_characters(text, [](const auto* characters, std::size_t count) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) size += utf8_size(characters[i]);
    return size;
  });
}

char* write_characters(char* out, PyObject* text) noexcept {
  return with_characters(text, [out](const auto* characters, std::size_t count) {
    char* at = out;
    for (std::size_t i = 0; i < count; ++i) at = write_utf8(at, characters[i]);
    return at;
  });
}

// int.<method>(integer, ...): never what a subclass made of it.
Ref int_method(const char* name) {
  return Ref::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(&PyLong_Type), name));
}

// Of one that is not negative; with room for a sign bit, one byte too many at most.
Py_ssize_t size_with_sign(PyObject* integer) {
  Ref method = int_method("bit_length");
  if (!method) return -1;
  Ref bits = Ref::steal(PyObject_Vectorcall(method.get(), &integer, 1, nullptr));
  if (!bits) return -1;
  const Py_ssize_t count = PyLong_AsSsize_t(bits.get());
  return count < 0 ? -1 : count / 8 + 1;
}

Ref to_bytes(PyObject* integer) {
  const Py_ssize_t size = size_with_sign(integer);
  Ref method = size < 0 ? Ref() : int_method("to_bytes");
  Ref length = Ref::steal(method ? PyLong_FromSsize_t(size) : nullptr);
  Ref order = Ref::steal(length ? PyUnicode_InternFromString("little") : nullptr);
  if (!order) return Ref();
  PyObject* const arguments[] = {integer, length.get(), order.get()};
  return Ref::steal(PyObject_Vectorcall(method.get(), arguments, 3, nullptr));
}

bool is_negative(PyObject* integer) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(integer, &overflow);
  return overflow != 0 ? overflow < 0 : number < 0;
}

// No argument has a name, and nothing is allocated that the collector counts: before CPython 3.12 it might run here,
// and a finalizer change the list that the integer is in.
Ref two_complement(PyObject* integer) {
  if (!is_negative(integer)) return to_bytes(integer);
  const Ref inverted = Ref::steal(PyLong_Type.tp_as_number->nb_invert(integer));
  Ref bytes = inverted ? to_bytes(inverted.get()) : Ref();
  if (!bytes) return Ref();
  char* const at = PyBytes_AS_STRING(bytes.get());
  for (Py_ssize_t i = 0; i < PyBytes_GET_SIZE(bytes.get()); ++i) at[i] = static_cast<char>(~at[i]);
  return bytes;
}

}  // namespace

bool write_big_integer(PyObject* integer, Scratch* out) {
  Ref bytes = two_complement(integer);
  if (!bytes) return false;
  const Bytes all(PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get())));
  return write_sized(Tag::big_int, all.data(), shortest_integer_size(all), out);
}

bool write_wide_text(PyObject* text, Scratch* out) {
  char* at = write_size(Tag::text, text_size(text), out);
  if (at == nullptr) return false;
  out->advance_to(write_characters(at, text));
  return true;
}

bool write_bare_text(PyObject* text, Scratch* out) {
#if PY_VERSION_HEX < 0x030C0000
  if (PyUnicode_READY(text) < 0) return false;
#endif
  char* at = out->room(text_size(text));
  if (at == nullptr) return false;
  out->advance_to(write_characters(at, text));
  return true;
}

}  // namespace ultradict::python
