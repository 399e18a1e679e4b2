// SPDX-License-Identifier: Apache-2.0
#include "object_size.h"

#include <algorithm>

#include "same_key.h"

namespace ultradict::python {

namespace {

constexpr int depth_max = 8;  // of containers in containers
// Items that are looked at in a container at each depth, evenly spread over it: two thousand in all, at most.
constexpr Py_ssize_t sampled_max[depth_max] = {16, 16, 4, 2, 1, 1, 1, 1};

constexpr std::uint64_t number_size = 32;    // an int of one digit, or a float
constexpr std::uint64_t digit_size = 4;      // of each further one
constexpr std::uint64_t header_size = 64;    // of a str, a container, with what the collector adds
constexpr std::uint64_t pair_size = 48;      // of a dict, key and value themselves not counted
constexpr std::uint64_t member_size = 112;   // of a set, with the object itself
constexpr std::uint64_t holder_size = 128;   // attributes of an object that holds others, and what the collector adds
constexpr std::uint64_t unknown_factor = 2;  // what objects of other types hold takes more than its pickle

class Sizer {
 public:
  std::uint64_t of(PyObject* object, int depth = 0) noexcept {
    if (PyLong_CheckExact(object)) return number_size + digit_size * digits_after_first(object);
    if (PyFloat_CheckExact(object)) return number_size;
    if (object == Py_None || PyBool_Check(object)) return 0;
    if (PyUnicode_CheckExact(object)) return of_text(object);
    if (PyBytes_CheckExact(object)) return header_size + static_cast<std::uint64_t>(PyBytes_GET_SIZE(object));
    if (PyByteArray_CheckExact(object)) return header_size + static_cast<std::uint64_t>(PyByteArray_GET_SIZE(object));
    if (depth == depth_max) return all_known_ = false, 0;
    if (!PyTuple_CheckExact(object) && !PyList_CheckExact(object) && !PyDict_CheckExact(object)) all_known_ = false;
    if (PyTuple_Check(object)) return of_items(object, PyTuple_GET_SIZE(object), PyTuple_GetItem, depth);
    if (PyList_Check(object)) return of_items(object, PyList_GET_SIZE(object), PyList_GetItem, depth);
    if (PyDict_Check(object)) return of_pairs(object, depth);
    if (PyAnySet_Check(object)) return header_size + member_size * static_cast<std::uint64_t>(PySet_GET_SIZE(object));
    return of_other(Py_TYPE(object));
  }

  // With what was not looked at.
  std::uint64_t completed(std::uint64_t size, std::uint64_t encoded_size) const noexcept {
    if (!all_known_) return size + unknown_factor * encoded_size;
    return all_seen_ ? size : std::max(size, encoded_size);
  }

 private:
  static std::uint64_t of_text(PyObject* text) noexcept {
    return header_size + static_cast<std::uint64_t>(PyUnicode_GET_LENGTH(text)) * PyUnicode_KIND(text);
  }

  Py_ssize_t sample(Py_ssize_t count, int depth) noexcept {
    const Py_ssize_t looked_at = std::min(count, sampled_max[depth]);
    if (looked_at < count) all_seen_ = false;
    return looked_at;
  }

  // As if all items were like those looked at.
  static std::uint64_t scaled(std::uint64_t size, Py_ssize_t looked_at, Py_ssize_t count) noexcept {
    return looked_at == 0 ? 0 : size * static_cast<std::uint64_t>(count) / static_cast<std::uint64_t>(looked_at);
  }

  std::uint64_t of_items(PyObject* sequence, Py_ssize_t count, PyObject* (*item)(PyObject*, Py_ssize_t),
                         int depth) noexcept {
    const Py_ssize_t looked_at = sample(count, depth);
    std::uint64_t size = 0;
    for (Py_ssize_t i = 0; i < looked_at; ++i) {
      size += sizeof(PyObject*) + of(item(sequence, i * count / looked_at), depth + 1);
    }
    return header_size + scaled(size, looked_at, count);
  }

  std::uint64_t of_pairs(PyObject* dict, int depth) noexcept {
    const Py_ssize_t count = PyDict_GET_SIZE(dict), looked_at = sample(count, depth);
    PyObject *key = nullptr, *value = nullptr;
    std::uint64_t size = 0;
    Py_ssize_t position = 0, next = 0;
    for (Py_ssize_t i = 0; next < looked_at && PyDict_Next(dict, &position, &key, &value) != 0; ++i) {
      if (i != next * count / looked_at) continue;
      size += pair_size + of(key, depth + 1) + of(value, depth + 1);
      ++next;
    }
    return header_size + scaled(size, looked_at, count);
  }

  static std::uint64_t of_other(PyTypeObject* type) noexcept {
    return static_cast<std::uint64_t>(type->tp_basicsize) + (PyType_IS_GC(type) ? holder_size : 0);
  }

  bool all_known_ = true;  // types, exactly
  bool all_seen_ = true;   // items
};

}  // namespace

std::uint64_t objects_size(PyObject* key, PyObject* value, std::uint64_t encoded_size) noexcept {
  Sizer sizer;
  const std::uint64_t size = sizer.of(key) + (value != nullptr ? sizer.of(value) : 0);
  return sizer.completed(size, encoded_size);
}

}  // namespace ultradict::python
