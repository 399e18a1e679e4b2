// SPDX-License-Identifier: Apache-2.0
// Keys -> bytes. Python's equality decides what the same key is: the canonical form of a plain key has equal bytes
// exactly for equal objects. What no bytes can express is told apart here (KeyKind) and left to Python.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "convert.h"
#include "convert_number.h"
#include "convert_pickle.h"
#include "convert_write.h"

namespace ultradict::python {

namespace {

// The plain type that `type` derives from and whose == and hash it has kept; null if there is none.
PyTypeObject* inherited_base(PyTypeObject* type) {
  PyTypeObject* const bases[] = {&PyUnicode_Type, &PyLong_Type,  &PyFloat_Type,
                                 &PyBytes_Type,   &PyTuple_Type, &PyFrozenSet_Type};
  for (PyTypeObject* base : bases) {
    if (!PyType_IsSubtype(type, base)) continue;
    return type->tp_richcompare == base->tp_richcompare && type->tp_hash == base->tp_hash ? base : nullptr;
  }
  return nullptr;
}

enum class Form { canonical, face };

class KeyWriter {
 public:
  KeyWriter(ConvertState& state, Form form, Scratch* out) : state_(state), form_(form), out_(out) {}

  KeyKind kind() const { return kind_; }
  // Decoding what was written gives back exactly the key.
  bool faithful() const { return faithful_; }
  // What was written is the canonical form of a plain key.
  bool complete() const { return complete_ && kind_ != KeyKind::exotic; }

  // False with an exception. Once a part is exotic the key is, and nothing more is written.
  bool write(PyObject* key, int depth) {
    if (kind_ == KeyKind::exotic) return true;
    if (depth > nesting_max) return at_least(KeyKind::exotic);
    PyTypeObject* type = Py_TYPE(key);
    if (write_plain(type, key, depth)) return !failed_;
    if (PyTypeObject* base = inherited_base(type)) {
      at_least(KeyKind::plain_like);
      return write_plain(base, key, depth) && !failed_;
    }
    return write_number(key);
  }

 private:
  // False if `type` is not plain; failed_ says whether writing went wrong.
  bool write_plain(PyTypeObject* type, PyObject* key, int depth) {
    if (type == &PyUnicode_Type) return done(write_text(key, out_));
    if (type == &PyLong_Type) return done(write_integer(key, out_));
    if (type == &PyTuple_Type) return done(write_tuple(key, depth));
    if (type == &PyBytes_Type) return done(write_bytes(key, out_));
    if (type == &PyFloat_Type) return done(write_float_key(PyFloat_AS_DOUBLE(key)));
    if (type == &PyBool_Type) return done(write_bool(key == Py_True));
    if (type == &PyFrozenSet_Type) return done(write_frozen_set(key, depth));
    return key == Py_None && done(write_mark(Tag::none, out_));
  }

  bool write_bool(bool yes) {
    if (form_ == Form::face) return write_mark(yes ? Tag::yes : Tag::no, out_);
    faithful_ = false;
    char* at = out_->room(int64_size_max);
    if (at == nullptr) return false;
    out_->advance_to(write_int64(at, yes));
    return true;
  }

  bool write_float_key(double number) {
    if (std::isnan(number)) return at_least(KeyKind::exotic);
    if (form_ == Form::face) return write_float(number, out_);
    char* at = out_->room(float_key_size_max);
    if (at == nullptr) return false;
    out_->advance_to(ultradict::write_float_key(at, number));
    faithful_ = faithful_ && static_cast<Tag>(*at) == Tag::float64;
    return true;
  }

  bool write_tuple(PyObject* tuple, int depth) {
    const Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    if (!write_count(Tag::tuple, static_cast<std::size_t>(count), out_)) return false;
    for (Py_ssize_t i = 0; i < count; ++i) {
      if (!write(PyTuple_GET_ITEM(tuple, i), depth + 1)) return false;
    }
    return true;
  }

  bool write_frozen_set(PyObject* set, int depth) {
    // A copy of a subclass's members, made without asking its __iter__; of an exact frozenset, itself.
    Ref members = Ref::steal(PyFrozenSet_New(set));
    Ref iterator = members ? Ref::steal(PyObject_GetIter(members.get())) : Ref();
    if (!iterator) return false;
    has_inner_set_ = has_inner_set_ || (depth > 0 && form_ == Form::canonical);
    const std::size_t start = out_->size();
    std::vector<std::size_t> ends;
    while (Ref member = Ref::steal(PyIter_Next(iterator.get()))) {
      if (!write(member.get(), depth + 1)) return false;
      if (has_inner_set_ && out_->size() > sets_size_max) return at_least(KeyKind::exotic);
      ends.push_back(out_->size());
    }
    return !PyErr_Occurred() && sort_members(start, ends);
  }

  // Puts the members written from `start` on, each up to its end, in the order of their bytes, with the count before
  // them.
  bool sort_members(std::size_t start, const std::vector<std::size_t>& ends) {
    const std::string written(out_->bytes().substr(start));
    std::vector<Bytes> members;
    std::size_t begin = start;
    for (const std::size_t end : ends) {
      members.push_back(Bytes(written).substr(begin - start, end - begin));
      begin = end;
    }
    std::sort(members.begin(), members.end());
    out_->truncate(start);
    if (!write_count(Tag::frozen_set, members.size(), out_)) return false;
    return std::all_of(members.begin(), members.end(), [this](Bytes member) { return out_->append(member); });
  }

  bool write_number(PyObject* key) {
    const int is_one = is_number(state_, key);
    if (is_one <= 0) return is_one == 0 && at_least(KeyKind::exotic);
    switch (write_plain_number(state_, key, out_)) {
      case PlainNumber::found:
        return at_least(KeyKind::number_like);
      case PlainNumber::none:
        return complete_ = false, at_least(KeyKind::number_like);
      case PlainNumber::unknown:
        return at_least(KeyKind::exotic);
      case PlainNumber::error:
        break;
    }
    return false;
  }

  bool at_least(KeyKind kind) {
    kind_ = std::max(kind_, kind);
    return true;
  }

  bool done(bool succeeded) {
    failed_ = failed_ || !succeeded;
    return true;
  }

  // Sets in sets may hold one another so often that nobody could write them all; Python remembers the hash of each. So
  // no plain key with one is longer, in whatever order their members come.
  static constexpr std::size_t sets_size_max = 1 << 20;

  ConvertState& state_;
  Form form_;
  Scratch* out_;
  bool has_inner_set_ = false;
  KeyKind kind_ = KeyKind::plain;
  bool faithful_ = true;
  bool complete_ = true;
  bool failed_ = false;
};

// What is not plain may be unhashable, and only Python knows.
KeyKind check_hash(PyObject* key, KeyKind kind) {
  return PyObject_Hash(key) == -1 && PyErr_Occurred() ? KeyKind::error : kind;
}

KeyKind encode_any(ConvertState& state, PyObject* key, Scratch* canonical, Scratch* face) {
  KeyWriter writer(state, Form::canonical, canonical);
  if (!writer.write(key, 0)) return KeyKind::error;
  if (writer.kind() != KeyKind::plain) {
    if (!writer.complete()) canonical->clear();
    return check_hash(key, writer.kind());
  }
  if (writer.faithful()) return KeyKind::plain;
  return KeyWriter(state, Form::face, face).write(key, 0) ? KeyKind::plain : KeyKind::error;
}

}  // namespace

KeyKind encode_key(ConvertState& state, PyObject* key, Scratch* canonical, Scratch* face) {
  canonical->clear();
  face->clear();
  if (PyUnicode_CheckExact(key)) return write_text(key, canonical) ? KeyKind::plain : KeyKind::error;
  if (PyLong_CheckExact(key)) return write_integer(key, canonical) ? KeyKind::plain : KeyKind::error;
  const KeyKind kind = encode_any(state, key, canonical, face);
  if (kind == KeyKind::error) canonical->clear();
  return kind;
}

bool encode_face(ConvertState& state, PyObject* key, Scratch* face) {
  face->clear();
  return write_whole_pickle(state, key, face);
}

bool encode_exotic_key(ConvertState& state, PyObject* key, Scratch* canonical, Scratch* face) {
  canonical->clear();
  if (!encode_face(state, key, face)) return false;
  PyObject* urandom = ConvertState::imported(&state.urandom, "os", "urandom");
  if (urandom == nullptr) return false;
  Ref random = Ref::steal(PyObject_CallFunction(urandom, "n", static_cast<Py_ssize_t>(unique_size)));
  if (!random) return false;
  if (!PyBytes_Check(random.get()) || PyBytes_GET_SIZE(random.get()) != static_cast<Py_ssize_t>(unique_size)) {
    PyErr_SetString(PyExc_RuntimeError, "os.urandom did not return the bytes it was asked for");
    return false;
  }
  return write_mark(Tag::unique, canonical) && canonical->append(PyBytes_AS_STRING(random.get()), unique_size);
}

}  // namespace ultradict::python
