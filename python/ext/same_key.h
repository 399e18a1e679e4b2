// SPDX-License-Identifier: Apache-2.0
// Equality and hash of the most common keys without a call into the interpreter: the very same object, exact str, exact
// int. The only place that looks into CPython's objects.
#pragma once

#include <cstring>

#include "ref.h"

namespace ultradict::python {

inline bool same_str(PyObject* one, PyObject* other) noexcept {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(one);
  const auto kind = PyUnicode_KIND(one);
  return length == PyUnicode_GET_LENGTH(other) && kind == PyUnicode_KIND(other) &&
         std::memcmp(PyUnicode_DATA(one), PyUnicode_DATA(other), static_cast<std::size_t>(length) * kind) == 0;
}

// Of an exact int; false for one of more than a digit.
inline bool small_int(PyObject* integer, long* number) noexcept {
  auto* object = reinterpret_cast<PyLongObject*>(integer);
#if PY_VERSION_HEX >= 0x030c0000
  if (!PyUnstable_Long_IsCompact(object)) return false;
  *number = static_cast<long>(PyUnstable_Long_CompactValue(object));
#else
  const Py_ssize_t size = Py_SIZE(object);
  if (size < -1 || size > 1) return false;
  *number = size == 0 ? 0 : size * static_cast<long>(object->ob_digit[0]);
#endif
  return true;
}

// Of an exact int: how many digits it has in memory beyond one.
inline std::size_t digits_after_first(PyObject* integer) noexcept {
#if PY_VERSION_HEX >= 0x030c0000
  constexpr int sign_bits = 3;
  const auto count = static_cast<std::size_t>(reinterpret_cast<PyLongObject*>(integer)->long_value.lv_tag >> sign_bits);
#else
  const auto count = static_cast<std::size_t>(Py_ABS(Py_SIZE(integer)));
#endif
  return count > 1 ? count - 1 : 0;
}

// Ints whose hashes are known to be equal. False also for large ones: those are compared by Python.
inline bool same_int(PyObject* one, PyObject* other) noexcept {
#if PY_VERSION_HEX >= 0x030c0000
  auto* left = reinterpret_cast<PyLongObject*>(one);
  auto* right = reinterpret_cast<PyLongObject*>(other);
  return PyUnstable_Long_IsCompact(left) && PyUnstable_Long_IsCompact(right) &&
         PyUnstable_Long_CompactValue(left) == PyUnstable_Long_CompactValue(right);
#else
  // Up to two digits of 30 bits a hash tells the number, except that -1 and -2 share theirs.
  const Py_ssize_t size = Py_SIZE(one);
  if (size != Py_SIZE(other) || size < -2 || size > 2) return false;
  const auto* left = reinterpret_cast<PyLongObject*>(one);
  return left->ob_digit[0] == reinterpret_cast<PyLongObject*>(other)->ob_digit[0];
#endif
}

// False may also mean: ask Python.
inline bool same_plain_key(PyObject* one, PyObject* other) noexcept {
  if (one == other) return true;
  if (Py_TYPE(one) != Py_TYPE(other)) return false;
  if (PyUnicode_CheckExact(one)) return same_str(one, other);
  return PyLong_CheckExact(one) && same_int(one, other);
}

// The hash of a key; -1 with an exception. A str remembers its own, a small int is its own.
inline Py_hash_t hash_of_key(PyObject* key) {
  if (PyUnicode_CheckExact(key)) {
    const Py_hash_t hash = reinterpret_cast<PyASCIIObject*>(key)->hash;
    if (hash != -1) return hash;
  } else if (long number = 0; PyLong_CheckExact(key) && small_int(key, &number)) {
    return number == -1 ? -2 : number;
  }
  return PyObject_Hash(key);
}

}  // namespace ultradict::python
