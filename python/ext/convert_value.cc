// SPDX-License-Identifier: Apache-2.0
// Values -> bytes. With the default serializer the common types are written directly, whatever else as a pickle; with
// any other serializer every value goes through its dumps.
#include <cstring>
#include <unordered_set>

#include "convert.h"
#include "convert_pickle.h"
#include "convert_write.h"

namespace ultradict::python {

namespace {

enum class Written {
  typed,
  untyped,  // something in it has no typed encoding: the whole value is to be pickled
  failed,   // with an exception
};

Written written(bool succeeded) { return succeeded ? Written::typed : Written::failed; }

// Writes exact types only, and runs no Python code: nothing changes under it while it holds the interpreter lock.
class TypedWriter {
 public:
  TypedWriter(PyObject* root, Scratch* out) : root_(root), out_(out) {}

  Written write(PyObject* value, int depth) {
    if (depth > nesting_max) return Written::untyped;
    PyTypeObject* type = Py_TYPE(value);
    if (type == &PyUnicode_Type) return written(write_text(value, out_));
    if (type == &PyLong_Type) return written(write_integer(value, out_));
    if (type == &PyFloat_Type) return written(write_float(PyFloat_AS_DOUBLE(value), out_));
    if (type == &PyBool_Type) return written(write_mark(value == Py_True ? Tag::yes : Tag::no, out_));
    if (type == &PyBytes_Type) return written(write_bytes(value, out_));
    if (value == Py_None) return written(write_mark(Tag::none, out_));
    if (type == &PyTuple_Type) return write_tuple(value, depth);
    if (type == &PyList_Type) return write_list(value, depth);
    if (type == &PyDict_Type) return write_dict(value, depth);
    return type == &PyByteArray_Type ? write_array(value, depth) : Written::untyped;
  }

 private:
  Written write_tuple(PyObject* tuple, int depth) {
    const Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    // There is one empty tuple in all; nobody can tell whether it occurs twice.
    if (count != 0 && repeated(tuple, depth)) return Written::untyped;
    if (!write_count(Tag::tuple, static_cast<std::size_t>(count), out_)) return Written::failed;
    for (Py_ssize_t i = 0; i < count; ++i) {
      const Written item = write(PyTuple_GET_ITEM(tuple, i), depth + 1);
      if (item != Written::typed) return item;
    }
    return Written::typed;
  }

  Written write_list(PyObject* list, int depth) {
    if (repeated(list, depth)) return Written::untyped;
    PyObject** const items = PySequence_Fast_ITEMS(list);
    const Py_ssize_t count = PyList_GET_SIZE(list);
    if (!write_count(Tag::list, static_cast<std::size_t>(count), out_)) return Written::failed;
    for (Py_ssize_t i = 0; i < count; ++i) {
      const Written item = write(items[i], depth + 1);
      if (item != Written::typed) return item;
    }
    return Written::typed;
  }

  Written write_dict(PyObject* dict, int depth) {
    if (repeated(dict, depth)) return Written::untyped;
    if (!write_count(Tag::dict, static_cast<std::size_t>(PyDict_GET_SIZE(dict)), out_)) return Written::failed;
    PyObject* key = nullptr;
    PyObject* value = nullptr;
    for (Py_ssize_t position = 0; PyDict_Next(dict, &position, &key, &value);) {
      Written item = write(key, depth + 1);
      if (item == Written::typed) item = write(value, depth + 1);
      if (item != Written::typed) return item;
    }
    return Written::typed;
  }

  Written write_array(PyObject* array, int depth) {
    return repeated(array, depth) ? Written::untyped : written(write_byte_array(array, out_));
  }

  // Whether this object was met before in the same value. What only its parent refers to cannot be met twice.
  bool repeated(PyObject* object, int depth) {
    if (depth == 0) return false;
    if (object == root_) return true;
    if (Py_REFCNT(object) == 1) return false;
    return !seen_.insert(object).second;
  }

  PyObject* root_;
  Scratch* out_;
  std::unordered_set<PyObject*> seen_;
};

// Whether the exception that is raised means "I do not take such objects", rather than that something failed.
bool refused(ConvertState& state) {
  for (PyObject* const error : {PyExc_TypeError, PyExc_ValueError, PyExc_BufferError, PyExc_NotImplementedError}) {
    if (PyErr_ExceptionMatches(error)) return true;
  }
  RaisedKept refusal;
  PyObject* const pickle_error = state.imported(&state.pickle_error, "pickle", "PickleError");
  if (pickle_error == nullptr) return PyErr_Clear(), false;
  return refusal.is_a(pickle_error);
}

// Whether the bytes mean the same in every process, by their format (struct, PEP 3118, and what ctypes adds): objects
// and pointers do not. Names of fields stand between colons; Z begins a complex number, or is a pointer to text.
bool holds_no_pointers(PyObject* view) {
  const char* const format = PyMemoryView_GET_BUFFER(view)->format;
  bool in_name = false;
  for (const char* at = format; at != nullptr && *at != 0; ++at) {
    if (*at == ':') in_name = !in_name;
    if (in_name) continue;
    const bool is_complex = *at == 'Z' && (at[1] == 'f' || at[1] == 'd' || at[1] == 'g');
    if (std::strchr("OPz&XZ", *at) != nullptr && !is_complex) return false;
  }
  return true;
}

// A view of what can be stored as its bytes instead; null without an exception: none.
Ref view_of_refused(PyObject* value, ConvertState& state) {
  if (!PyObject_CheckBuffer(value) || PyBytes_Check(value) || !refused(state)) return Ref();
  RaisedKept refusal;
  Ref view = Ref::steal(PyMemoryView_FromObject(value));
  if (!view) PyErr_Clear();
  return view && holds_no_pointers(view.get()) ? std::move(view) : Ref();
}

// The `size` bytes that the buffer of `exporter` holds.
bool write_bytes_of(Tag tag, PyObject* exporter, std::size_t size, Encoded* out) {
  return write_count(tag, size, &out->head) && out->add_buffer(exporter) && out->gather();
}

// The bytes of any buffer, in the order of its elements.
bool write_buffer(PyObject* view, Encoded* out) {
  out->clear();
  const Py_buffer* buffer = PyMemoryView_GET_BUFFER(view);
  if (PyBuffer_IsContiguous(buffer, 'C') != 0) {
    return write_bytes_of(Tag::bytes, view, static_cast<std::size_t>(buffer->len), out);
  }
  const Ref bytes = Ref::steal(PyBytes_FromObject(view));
  return bytes && write_bytes_of(Tag::bytes, bytes.get(), static_cast<std::size_t>(buffer->len), out);
}

bool write_default(PyObject* value, ConvertState& state, Encoded* out) {
  const Written typed = TypedWriter(value, &out->head).write(value, 0);
  if (typed != Written::untyped) return typed == Written::typed;
  if (write_pickle(state, value, out)) return true;
  const Ref view = view_of_refused(value, state);
  if (!view) return false;
  RaisedKept refusal;
  if (!write_buffer(view.get(), out)) return forgive_raised(), false;
  refusal.forget();
  return true;
}

// What dumps makes of the value or, if it refuses one with the buffer protocol, of its bytes.
Ref dump(PyObject* value, PyObject* dumps, ConvertState& state) {
  Ref result = Ref::steal(PyObject_CallFunctionObjArgs(dumps, value, nullptr));
  if (result) return result;
  const Ref view = view_of_refused(value, state);
  if (!view) return Ref();
  RaisedKept refusal;
  const Ref bytes = Ref::steal(PyBytes_FromObject(view.get()));
  if (bytes) result = Ref::steal(PyObject_CallFunctionObjArgs(dumps, bytes.get(), nullptr));
  if (!result) return PyErr_Clear(), Ref();
  refusal.forget();
  return result;
}

bool write_foreign(PyObject* value, const Serializer& serializer, Encoded* out) {
  Ref result = dump(value, serializer.dumps.get(), *serializer.state);
  if (!result) return false;
  PyObject* dumped = result.get();
  if (PyBytes_Check(dumped)) return write_mark(Tag::foreign_bytes, &out->head) && add_dumped(dumped, out);
  if (PyUnicode_Check(dumped)) return write_mark(Tag::foreign_text, &out->head) && write_bare_text(dumped, &out->head);
  PyErr_Format(PyExc_TypeError, "dumps of serializer '%s' returned %s, not bytes or str", serializer.name.c_str(),
               Py_TYPE(dumped)->tp_name);
  return false;
}

bool is_large(Py_ssize_t size) { return static_cast<std::size_t>(size) > blob_size_min; }

// Whether nobody can change a value or what it holds. A tuple that occurs often is looked into once.
class Immutability {
 public:
  bool holds(PyObject* value, int depth = 0) {
    if (PyUnicode_CheckExact(value) || PyLong_CheckExact(value) || PyFloat_CheckExact(value)) return true;
    if (value == Py_None || PyBool_Check(value) || PyBytes_CheckExact(value)) return true;
    if (!PyTuple_CheckExact(value) || depth >= nesting_max) return false;
    if (depth > 0 && Py_REFCNT(value) > 1 && !seen_.insert(value).second) return true;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); ++i) {
      if (!holds(PyTuple_GET_ITEM(value, i), depth + 1)) return false;
    }
    return true;
  }

 private:
  std::unordered_set<PyObject*> seen_;
};

}  // namespace

bool encode_value(PyObject* value, const Serializer& serializer, Encoded* out) {
  out->clear();
  if (!serializer.is_default) return write_foreign(value, serializer, out);
  if (PyUnicode_CheckExact(value)) return write_text(value, &out->head);
  if (PyLong_CheckExact(value)) return write_integer(value, &out->head);
  if (PyBytes_CheckExact(value) && is_large(PyBytes_GET_SIZE(value))) {
    return write_bytes_of(Tag::bytes, value, static_cast<std::size_t>(PyBytes_GET_SIZE(value)), out);
  }
  if (PyByteArray_CheckExact(value) && is_large(PyByteArray_GET_SIZE(value))) {
    return write_bytes_of(Tag::byte_array, value, static_cast<std::size_t>(PyByteArray_GET_SIZE(value)), out);
  }
  return write_default(value, *serializer.state, out);
}

bool cacheable_as_is(PyObject* value, const Serializer& serializer) {
  return lossless(serializer) && Immutability().holds(value);
}

}  // namespace ultradict::python
