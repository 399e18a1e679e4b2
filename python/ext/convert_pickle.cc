// SPDX-License-Identifier: Apache-2.0
// pickle.dumps and pickle.loads, called with the protocol that every supported Python reads.
#include "convert_pickle.h"

#include "convert_write.h"

namespace ultradict::python {

namespace {

constexpr int protocol = 5;

PyObject* check_dumped(Ref pickle) {
  if (!pickle || PyBytes_Check(pickle.get())) return pickle.release();
  PyErr_Format(PyExc_TypeError, "pickle.dumps returned %s, not bytes", Py_TYPE(pickle.get())->tp_name);
  return nullptr;
}

// Takes a buffer out of the pickle, into the list `buffers`: False. Those of bytes stay in it, True, because from there
// they are loaded as bytes; from outside, what cannot be written is loaded as a memoryview.
PyObject* take_out(PyObject* buffers, PyObject* buffer) {
  const Py_buffer* view = PyPickleBuffer_GetBuffer(buffer);
  if (view == nullptr) return nullptr;
  const bool stays = view->obj != nullptr && PyBytes_CheckExact(view->obj);
  if (!stays && PyList_Append(buffers, buffer) < 0) return nullptr;
  return PyBool_FromLong(static_cast<long>(stays));
}

PyMethodDef take_out_method = {"take_out", take_out, METH_O, nullptr};

// pickle.dumps(object, protocol=5, buffer_callback=take_out); without the callback if `buffers` is null.
Ref dump(ConvertState& state, PyObject* object, PyObject* buffers) {
  PyObject* dumps = ConvertState::imported(&state.pickle_dumps, "pickle", "dumps");
  const Ref arguments = Ref::steal(Py_BuildValue("(Oi)", object, protocol));
  const Ref options = Ref::steal(PyDict_New());
  if (dumps == nullptr || !arguments || !options) return Ref();
  if (buffers != nullptr) {
    const Ref callback = Ref::steal(PyCFunction_New(&take_out_method, buffers));
    if (!callback || PyDict_SetItemString(options.get(), "buffer_callback", callback.get()) < 0) return Ref();
  }
  return Ref::steal(check_dumped(Ref::steal(PyObject_Call(dumps, arguments.get(), options.get()))));
}

// Their bytes as they lie in memory. BufferError if one is not contiguous.
Ref raw_buffers(PyObject* buffers) {
  Ref raw = Ref::steal(PyList_New(0));
  for (Py_ssize_t i = 0; raw && i < PyList_GET_SIZE(buffers); ++i) {
    const Ref one = Ref::steal(PyObject_CallMethod(PyList_GET_ITEM(buffers, i), "raw", nullptr));
    if (!one || PyList_Append(raw.get(), one.get()) < 0) return Ref();
  }
  return raw;
}

bool write_number(std::size_t number, Scratch* out) {
  char* at = out->room(varint_size_max);
  if (at == nullptr) return false;
  out->advance_to(write_varint(at, number));
  return true;
}

bool write_with_buffers(PyObject* pickle, PyObject* raw, Encoded* out) {
  const Py_ssize_t count = PyList_GET_SIZE(raw);
  const auto pickle_size = static_cast<std::size_t>(PyBytes_GET_SIZE(pickle));
  if (!write_count(Tag::pickle_with_buffers, static_cast<std::size_t>(count), &out->head)) return false;
  if (!write_number(pickle_size, &out->head)) return false;
  for (Py_ssize_t i = 0; i < count; ++i) {
    const Py_ssize_t size = PyMemoryView_GET_BUFFER(PyList_GET_ITEM(raw, i))->len;
    if (!write_number(static_cast<std::size_t>(size), &out->head)) return false;
  }
  if (!out->head.append(PyBytes_AS_STRING(pickle), pickle_size)) return false;
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (!out->align(buffer_alignment) || !out->add_buffer(PyList_GET_ITEM(raw, i))) return false;
  }
  return out->gather();
}

}  // namespace

bool add_dumped(PyObject* dumped, Encoded* out) {
  const auto size = static_cast<std::size_t>(PyBytes_GET_SIZE(dumped));
  if (size <= blob_size_min) return out->head.append(PyBytes_AS_STRING(dumped), size);
  return out->add_buffer(dumped);
}

bool write_whole_pickle(ConvertState& state, PyObject* object, Scratch* out) {
  const Ref pickle = dump(state, object, nullptr);
  return pickle && write_mark(Tag::pickle, out) &&
         out->append(PyBytes_AS_STRING(pickle.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(pickle.get())));
}

bool write_pickle(ConvertState& state, PyObject* object, Encoded* out) {
  out->clear();
  const Ref buffers = Ref::steal(PyList_New(0));
  Ref pickle = buffers ? dump(state, object, buffers.get()) : Ref();
  if (!pickle) return false;
  if (PyList_GET_SIZE(buffers.get()) != 0) {
    const Ref raw = raw_buffers(buffers.get());
    if (raw) return write_with_buffers(pickle.get(), raw.get(), out);
    if (!PyErr_ExceptionMatches(PyExc_BufferError)) return false;
    PyErr_Clear();
    pickle = dump(state, object, nullptr);
    if (!pickle) return false;
  }
  return write_mark(Tag::pickle, &out->head) && add_dumped(pickle.get(), out);
}

PyObject* read_pickle(ConvertState& state, Bytes pickle) {
  PyObject* loads = ConvertState::imported(&state.pickle_loads, "pickle", "loads");
  if (loads == nullptr) return nullptr;
  const Ref bytes = bytes_object(pickle);
  return bytes ? PyObject_CallFunctionObjArgs(loads, bytes.get(), nullptr) : nullptr;
}

PyObject* load_with_buffers(ConvertState& state, PyObject* pickle, PyObject* buffers) {
  PyObject* loads = ConvertState::imported(&state.pickle_loads, "pickle", "loads");
  const Ref arguments = Ref::steal(PyTuple_Pack(1, pickle));
  const Ref options = Ref::steal(PyDict_New());
  if (loads == nullptr || !arguments || !options) return nullptr;
  if (PyDict_SetItemString(options.get(), "buffers", buffers) < 0) return nullptr;
  return PyObject_Call(loads, arguments.get(), options.get());
}

PyObject* read_pickle_with_buffers(ConvertState& state, Bytes value) {
  PickleParts parts;
  if (!split_pickle(value, &parts)) return state.raise_damaged("the stored buffers of a pickle are damaged");
  const Ref pickle = bytes_object(parts.pickle);
  const Ref buffers = Ref::steal(PyTuple_New(static_cast<Py_ssize_t>(parts.buffers.size())));
  if (!pickle || !buffers) return nullptr;
  for (std::size_t i = 0; i < parts.buffers.size(); ++i) {
    Ref copy = copy_of(Tag::byte_array, parts.buffers[i]);
    if (!copy) return nullptr;
    PyTuple_SET_ITEM(buffers.get(), static_cast<Py_ssize_t>(i), copy.release());
  }
  return load_with_buffers(state, pickle.get(), buffers.get());
}

}  // namespace ultradict::python
