// SPDX-License-Identifier: Apache-2.0
// Writes of all keys. update and |= read their source to its end, into a plain dict with dict's own rules, before
// anything is changed.
#include "dict_whole.h"
#include "dict_write.h"
#include "locking.h"
#include "store_all.h"

namespace ultradict::python {

namespace {

// dict.update(items, *arguments, **keywords), for its rules and its messages.
bool collect(const ModuleState* module, PyObject* items, PyObject* arguments, PyObject* keywords) {
  PyObject* source = PyTuple_GET_SIZE(arguments) == 1 ? PyTuple_GET_ITEM(arguments, 0) : nullptr;
  if (source != nullptr && is_shared_dict(source, module)) {
    return add_items(items, source, module) && (keywords == nullptr || PyDict_Update(items, keywords) == 0);
  }
  const Ref method = Ref::steal(PyObject_GetAttrString(items, "update"));
  return method && static_cast<bool>(Ref::steal(PyObject_Call(method.get(), arguments, keywords)));
}

// The one argument, if it is an exact dict and all there is.
PyObject* plain_dict_of(PyObject* arguments, PyObject* keywords) {
  if (PyTuple_GET_SIZE(arguments) != 1 || (keywords != nullptr && PyDict_GET_SIZE(keywords) != 0)) return nullptr;
  PyObject* source = PyTuple_GET_ITEM(arguments, 0);
  return PyDict_CheckExact(source) && PyDict_GET_SIZE(source) != 0 ? source : nullptr;
}

bool update(PyObject* self, PyObject* arguments, PyObject* keywords) {
  Session* session = open_session(self);
  if (session == nullptr) return false;
  const Use use(session);
  if (PyObject* source = plain_dict_of(arguments, keywords); source != nullptr) {
    const Answer stored = store_scalars(session, source);
    if (stored != Answer::no) return stored == Answer::yes;
  }
  const Ref items = Ref::steal(PyDict_New());
  if (!items || !collect(session->module, items.get(), arguments, keywords)) return false;
  if (session->closed) return raise_closed(session->module, session->name), false;
  return store_all(session, items.get());
}

}  // namespace

// update(None) is like update().
PyObject* dict_update(PyObject* self, PyObject* arguments, PyObject* keywords) {
  const bool nothing = PyTuple_GET_SIZE(arguments) == 1 && PyTuple_GET_ITEM(arguments, 0) == Py_None;
  const Ref positional = nothing ? Ref::steal(PyTuple_New(0)) : Ref::share(arguments);
  return positional && update(self, positional.get(), keywords) ? Ref::share(Py_None).release() : nullptr;
}

PyObject* dict_inplace_or(PyObject* self, PyObject* other) {
  const Ref arguments = Ref::steal(PyTuple_Pack(1, other));
  if (!arguments || !update(self, arguments.get(), nullptr)) return nullptr;
  return Ref::share(self).release();
}

PyObject* dict_clear(PyObject* self, PyObject*) {
  Session* session = open_session(self);
  if (session == nullptr) return nullptr;
  const Use use(session);
  LockForWrite lock(session);
  if (!lock.acquire()) return nullptr;
  const std::uint64_t count = session->engine.count();
  const Status status = session->engine.clear();
  lock.release();
  if (!status) return raise_status(session, status);
  session->size_changes -= static_cast<std::int64_t>(count);
  session->cache.clear();
  session->exotic.clear();
  session->held.clear(session);
  return Ref::share(Py_None).release();
}

}  // namespace ultradict::python
