// SPDX-License-Identifier: Apache-2.0
#include "object_size.h"

#include <algorithm>

namespace ultradict::python {

namespace {

constexpr Py_ssize_t sampled_max = 16;       // items of a container
constexpr int depth_max = 8;                 // of containers in containers
constexpr std::uint64_t number_size = 32;    // an int or a float
constexpr std::uint64_t header_size = 64;    // of a str, a container, with what the collector adds
constexpr std::uint64_t pair_size = 48;      // of a dict, key and value themselves not counted
constexpr std::uint64_t unknown_factor = 2;  // objects of other types take more than their pickle
constexpr std::uint64_t unknown_size = 512;

class Sizer {
 public:
  std::uint64_t of(PyObject* object, int depth) noexcept {
    if (PyLong_CheckExact(object) || PyFloat_CheckExact(object)) return number_size;
    if (object == Py_None || PyBool_Check(object)) return 0;
    if (PyUnicode_CheckExact(object)) return of_text(object);
    if (PyBytes_CheckExact(object)) return header_size + static_cast<std::uint64_t>(PyBytes_GET_SIZE(object));
    if (depth == depth_max) return known_ = false, 0;
    if (PyTuple_CheckExact(object)) return of_items(object, PyTuple_GET_SIZE(object), PyTuple_GetItem, depth);
    if (PyList_CheckExact(object)) return of_items(object, PyList_GET_SIZE(object), PyList_GetItem, depth);
    if (PyDict_CheckExact(object)) return of_pairs(object, depth);
    return known_ = false, 0;
  }
  bool known() const noexcept { return known_; }

 private:
  static std::uint64_t of_text(PyObject* text) noexcept {
    return header_size + static_cast<std::uint64_t>(PyUnicode_GET_LENGTH(text)) * PyUnicode_KIND(text);
  }

  // As if all items were like those looked at.
  static std::uint64_t scaled(std::uint64_t size, Py_ssize_t looked_at, Py_ssize_t count) noexcept {
    return looked_at == 0 ? 0 : size * static_cast<std::uint64_t>(count) / static_cast<std::uint64_t>(looked_at);
  }

  std::uint64_t of_items(PyObject* sequence, Py_ssize_t count, PyObject* (*item)(PyObject*, Py_ssize_t),
                         int depth) noexcept {
    const Py_ssize_t looked_at = std::min(count, sampled_max);
    std::uint64_t size = 0;
    for (Py_ssize_t i = 0; i < looked_at; ++i) size += sizeof(PyObject*) + of(item(sequence, i), depth + 1);
    return header_size + scaled(size, looked_at, count);
  }

  std::uint64_t of_pairs(PyObject* dict, int depth) noexcept {
    PyObject *key = nullptr, *value = nullptr;
    Py_ssize_t position = 0, looked_at = 0;
    std::uint64_t size = 0;
    for (; looked_at < sampled_max && PyDict_Next(dict, &position, &key, &value) != 0; ++looked_at) {
      size += pair_size + of(key, depth + 1) + of(value, depth + 1);
    }
    return header_size + scaled(size, looked_at, PyDict_GET_SIZE(dict));
  }

  bool known_ = true;
};

}  // namespace

std::uint64_t object_size(PyObject* object, std::uint64_t encoded_size) noexcept {
  if (object == nullptr) return 0;
  Sizer sizer;
  const std::uint64_t size = sizer.of(object, 0);
  return sizer.known() ? size : std::max(size, unknown_size + unknown_factor * encoded_size);
}

}  // namespace ultradict::python
