// SPDX-License-Identifier: Apache-2.0
// pickle.dumps and pickle.loads, called with the protocol that every supported Python reads.
#include "convert_pickle.h"

#include "convert_write.h"

namespace ultradict::python {

namespace {

constexpr int protocol = 5;

}  // namespace

bool write_pickle(ConvertState& state, PyObject* object, Scratch* out) {
  PyObject* dumps = ConvertState::imported(&state.pickle_dumps, "pickle", "dumps");
  if (dumps == nullptr) return false;
  Ref pickle = Ref::steal(PyObject_CallFunction(dumps, "Oi", object, protocol));
  if (!pickle) return false;
  if (!PyBytes_Check(pickle.get())) {
    PyErr_Format(PyExc_TypeError, "pickle.dumps returned %s, not bytes", Py_TYPE(pickle.get())->tp_name);
    return false;
  }
  return write_mark(Tag::pickle, out) &&
         out->append(PyBytes_AS_STRING(pickle.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(pickle.get())));
}

PyObject* read_pickle(ConvertState& state, Bytes pickle) {
  PyObject* loads = ConvertState::imported(&state.pickle_loads, "pickle", "loads");
  if (loads == nullptr) return nullptr;
  Ref bytes = Ref::steal(PyBytes_FromStringAndSize(pickle.data(), static_cast<Py_ssize_t>(pickle.size())));
  return bytes ? PyObject_CallFunctionObjArgs(loads, bytes.get(), nullptr) : nullptr;
}

}  // namespace ultradict::python
