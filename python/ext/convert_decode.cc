// SPDX-License-Identifier: Apache-2.0
// Bytes -> Python objects. The bytes come from shared memory and may be anything: every size is checked against what is
// left, nesting is bounded, and no more elements are allocated than there are bytes. Damage raises, it never crashes.
#include "convert.h"
#include "convert_pickle.h"
#include "ultradict/wire.h"

namespace ultradict::python {

namespace {

// Null without an exception if it is not what Tag::text promises.
PyObject* read_text(Bytes bytes) {
  PyObject* text = PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "surrogatepass");
  if (text == nullptr && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) PyErr_Clear();
  return text;
}

PyObject* read_big_integer(Bytes bytes) {
  PyObject* integer_type = reinterpret_cast<PyObject*>(&PyLong_Type);
  Ref method = Ref::steal(PyObject_GetAttrString(integer_type, "from_bytes"));
  Ref arguments = Ref::steal(Py_BuildValue("(y#s)", bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "little"));
  Ref options = Ref::steal(Py_BuildValue("{sO}", "signed", Py_True));
  if (!method || !arguments || !options) return nullptr;
  return PyObject_Call(method.get(), arguments.get(), options.get());
}

// Reads what the typed encoding can express. Null without an exception means that the bytes are damaged.
class TypedReader {
 public:
  TypedReader(Bytes bytes, bool is_key) : reader_(bytes), is_key_(is_key) {}

  PyObject* whole() {
    Ref object = read(0);
    return object && reader_.at_end() ? object.release() : nullptr;
  }

 private:
  Ref read(int depth) {
    Tag tag{};
    if (depth > nesting_max || !reader_.tag(&tag)) return Ref();
    switch (tag) {
      case Tag::none:
        return Ref::share(Py_None);
      case Tag::no:
        return Ref::share(Py_False);
      case Tag::yes:
        return Ref::share(Py_True);
      case Tag::int64:
        return integer();
      case Tag::big_int:
        return big_integer();
      case Tag::float64:
        return float64();
      case Tag::ascii:
        return ascii();
      case Tag::text:
        return text();
      case Tag::bytes:
        return byte_string(tag);
      case Tag::byte_array:
        return is_key_ ? Ref() : byte_string(tag);
      case Tag::tuple:
        return tuple(depth);
      case Tag::list:
        return is_key_ ? Ref() : list(depth);
      case Tag::dict:
        return is_key_ ? Ref() : dict(depth);
      case Tag::frozen_set:
        return is_key_ ? frozen_set(depth) : Ref();
      default:
        return Ref();
    }
  }

  Ref integer() {
    std::int64_t number = 0;
    return reader_.int64(&number) ? Ref::steal(PyLong_FromLongLong(number)) : Ref();
  }

  Ref big_integer() {
    Bytes bytes;
    return reader_.sized(&bytes) && is_big_integer(bytes) ? Ref::steal(read_big_integer(bytes)) : Ref();
  }

  Ref float64() {
    double number = 0;
    return reader_.float64(&number) ? Ref::steal(PyFloat_FromDouble(number)) : Ref();
  }

  Ref ascii() {
    Bytes bytes;
    if (!reader_.sized(&bytes) || !is_ascii(bytes)) return Ref();
    Ref text = Ref::steal(PyUnicode_New(static_cast<Py_ssize_t>(bytes.size()), 0x7f));
    if (text && !bytes.empty()) std::memcpy(PyUnicode_1BYTE_DATA(text.get()), bytes.data(), bytes.size());
    return text;
  }

  Ref text() {
    Bytes bytes;
    return reader_.sized(&bytes) ? Ref::steal(read_text(bytes)) : Ref();
  }

  Ref byte_string(Tag tag) {
    Bytes bytes;
    if (!reader_.sized(&bytes)) return Ref();
    return copy_of(tag, bytes);
  }

  Ref tuple(int depth) {
    std::size_t count = 0;
    if (!reader_.count(1, &count)) return Ref();
    Ref tuple = Ref::steal(PyTuple_New(static_cast<Py_ssize_t>(count)));
    for (std::size_t i = 0; tuple && i < count; ++i) {
      Ref item = read(depth + 1);
      if (!item) return Ref();
      PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), item.release());
    }
    return tuple;
  }

  Ref list(int depth) {
    std::size_t count = 0;
    if (!reader_.count(1, &count)) return Ref();
    Ref list = Ref::steal(PyList_New(static_cast<Py_ssize_t>(count)));
    for (std::size_t i = 0; list && i < count; ++i) {
      Ref item = read(depth + 1);
      if (!item) return Ref();
      PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), item.release());
    }
    return list;
  }

  Ref dict(int depth) {
    std::size_t count = 0;
    if (!reader_.count(2, &count)) return Ref();
    Ref dict = Ref::steal(PyDict_New());
    for (std::size_t i = 0; dict && i < count; ++i) {
      Ref key = read(depth + 1);
      Ref value = key ? read(depth + 1) : Ref();
      if (!value) return Ref();
      if (PyDict_SetItem(dict.get(), key.get(), value.get()) < 0) return unhashable();
    }
    return dict;
  }

  Ref frozen_set(int depth) {
    Ref members = tuple(depth);
    if (!members) return Ref();
    Ref set = Ref::steal(PyFrozenSet_New(members.get()));
    return set ? std::move(set) : unhashable();
  }

  // No encoder writes a list or dict where only a hashable object can stand.
  static Ref unhashable() {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_Clear();
    return Ref();
  }

  WireReader reader_;
  bool is_key_;
};

constexpr const char* damaged_key = "the stored bytes of a key are damaged, or C++ wrote them without value.h";
constexpr const char* damaged_value = "the stored bytes of a value are damaged, or C++ wrote them without value.h";

// Null without an exception if it is damaged.
Ref read_whole_bytes(Tag tag, Bytes value) {
  Bytes bytes;
  return payload_of(value, &bytes) ? copy_of(tag, bytes) : Ref();
}

PyObject* checked(PyObject* object, const ConvertState& state, const char* message) {
  return object != nullptr || PyErr_Occurred() ? object : state.raise_damaged(message);
}

PyObject* read_foreign(Tag tag, Bytes rest, const Serializer& serializer) {
  if (serializer.is_default) {
    return serializer.state->raise_damaged("a stored value was written by a serializer other than the dict's");
  }
  const Ref dumped = tag == Tag::foreign_text ? Ref::steal(read_text(rest)) : bytes_object(rest);
  if (!dumped) return checked(nullptr, *serializer.state, "the stored text of a value is damaged");
  return PyObject_CallFunctionObjArgs(serializer.loads.get(), dumped.get(), nullptr);
}

}  // namespace

PyObject* decode_key(ConvertState& state, Bytes canonical, Bytes face, bool allow_pickle) {
  const Bytes bytes = face.empty() ? canonical : face;
  if (is_pickled(bytes)) {
    if (allow_pickle) return read_pickle(state, bytes.substr(1));
    return state.raise_forbidden("a key is stored as a pickle, which allow_pickle=False refuses to load");
  }
  return checked(TypedReader(bytes, true).whole(), state, damaged_key);
}

PyObject* decode_value(Bytes bytes, const Serializer& serializer) {
  return decode_value(tag_of(bytes), bytes, serializer);
}

PyObject* decode_value(Tag tag, Bytes bytes, const Serializer& serializer) {
  ConvertState& state = *serializer.state;
  if (is_bytes(tag)) return checked(read_whole_bytes(tag, bytes).release(), state, damaged_value);
  if (tag == Tag::foreign_bytes || tag == Tag::foreign_text) return read_foreign(tag, bytes.substr(1), serializer);
  if (tag == Tag::pickle) {
    if (serializer.allow_pickle) return read_pickle(state, bytes.substr(1));
    return state.raise_pickled_value();
  }
  if (tag == Tag::pickle_with_buffers) {
    if (serializer.allow_pickle) return read_pickle_with_buffers(state, bytes);
    return state.raise_pickled_value();
  }
  return checked(TypedReader(bytes, false).whole(), state, damaged_value);
}

bool payload_of(Bytes encoding, Bytes* payload) {
  WireReader reader(encoding.substr(1));
  return reader.sized(payload) && reader.at_end();
}

Ref copy_of(Tag tag, Bytes bytes) {
  const bool is_array = tag == Tag::byte_array;
  const auto create = is_array ? PyByteArray_FromStringAndSize : PyBytes_FromStringAndSize;
  const auto size = static_cast<Py_ssize_t>(bytes.size());
  if (bytes.size() <= copy_with_gil_size_max) return Ref::steal(create(bytes.data(), size));
  Ref copy = Ref::steal(create(nullptr, size));
  if (!copy) return copy;
  char* const to = is_array ? PyByteArray_AS_STRING(copy.get()) : PyBytes_AS_STRING(copy.get());
  const GilReleased released;
  std::memcpy(to, bytes.data(), bytes.size());
  return copy;
}

bool decodes_by_copying(Tag tag) noexcept {
  return is_bytes(tag) || tag == Tag::pickle || tag == Tag::pickle_with_buffers || tag == Tag::foreign_bytes;
}

}  // namespace ultradict::python
