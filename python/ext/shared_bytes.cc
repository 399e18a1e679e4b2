// SPDX-License-Identifier: Apache-2.0
#include "shared_bytes.h"

#include <new>

namespace ultradict::python {

namespace {

struct SharedBytesObject {
  PyObject_HEAD MappedValue value;
  Bytes part;
  PinnedBytes pinned;
};

SharedBytesObject* shared_bytes(PyObject* object) { return reinterpret_cast<SharedBytesObject*>(object); }

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  const Bytes part = shared_bytes(self)->part;
  return PyBuffer_FillInfo(view, self, const_cast<char*>(part.data()), static_cast<Py_ssize_t>(part.size()), 1, flags);
}

void dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  SharedBytesObject* bytes = shared_bytes(self);
  *bytes->pinned -= bytes->value.bytes().size();
  std::destroy_at(&bytes->value);
  std::destroy_at(&bytes->pinned);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(refuse_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
    {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
    {0, nullptr},
};

}  // namespace

PyType_Spec shared_bytes_spec = {"UltraDict._core.shared_bytes", sizeof(SharedBytesObject), 0, Py_TPFLAGS_DEFAULT,
                                 slots};

PyObject* make_shared_bytes(const ModuleState* module, MappedValue value, Bytes part, PinnedBytes pinned) {
  auto* type = reinterpret_cast<PyTypeObject*>(module->shared_bytes_type.get());
  auto* made = PyObject_New(SharedBytesObject, type);
  if (made == nullptr) return nullptr;
  *pinned += value.bytes().size();
  new (&made->value) MappedValue(std::move(value));
  made->part = part;
  new (&made->pinned) PinnedBytes(std::move(pinned));
  return reinterpret_cast<PyObject*>(made);
}

}  // namespace ultradict::python
