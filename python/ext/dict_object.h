// SPDX-License-Identifier: Apache-2.0
// The object behind UltraDict: a dict whose own storage holds one entry that nobody should read, and a session.
#pragma once

#include "errors.h"
#include "session.h"

namespace ultradict::python {

struct DictObject {
  PyDictObject base;
  ModuleState* module;
  Session* session;  // null: never opened; kept when closed, so that the name is still known
  PyObject* lock;    // the SharedLock, made when first asked for
};

inline DictObject* dict_object(PyObject* object) noexcept { return reinterpret_cast<DictObject*>(object); }

// The session of an open dict; otherwise null with AlreadyClosed raised.
inline Session* open_session(PyObject* self) {
  DictObject* dict = dict_object(self);
  if (dict->session != nullptr && !dict->session->closed) return dict->session;
  raise_closed(dict->module, dict->session != nullptr ? std::string_view(dict->session->name) : std::string_view());
  return nullptr;
}

// The same for what only glances.
inline Session* glanced_session(PyObject* self) {
  Session* session = open_session(self);
  if (session == nullptr) return nullptr;
  session->count_glance();
  return session->closed ? open_session(self) : session;
}

inline bool is_shared_dict(PyObject* object, const ModuleState* module) noexcept {
  return PyObject_TypeCheck(object, reinterpret_cast<PyTypeObject*>(module->dict_type.get())) != 0;
}

}  // namespace ultradict::python
