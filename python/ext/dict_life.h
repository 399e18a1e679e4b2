// SPDX-License-Identifier: Apache-2.0
// The life of a handle: opening with its recorded parameters, closing, unlinking. UltraDict/UltraDict.py gives these
// their public names and shapes; nothing here is on the way of a read or write.
#pragma once

#include "dict_object.h"

namespace ultradict::python {

// --- methods of the dict ---
PyObject* dict_open(PyObject* self, PyObject* arguments, PyObject* keywords);
PyObject* dict_check_open(PyObject* self, PyObject* none);
PyObject* dict_close(PyObject* self, PyObject* none);
PyObject* dict_abandon(PyObject* self, PyObject* none);  // undoes dict_open, the creation too
PyObject* dict_unlink(PyObject* self, PyObject* none);
PyObject* dict_dump(PyObject* self, PyObject* none);
PyObject* dict_stats(PyObject* self, PyObject* none);

// What pickle needs to attach again: (type, name, id, serializer or None, cache_bytes, allow_pickle).
PyObject* handle_arguments(Session* session, PyObject* type);
PyObject* dict_handle(PyObject* self, PyObject* none);

// --- functions of the module ---
PyObject* unlink_by_name(PyObject* module, PyObject* name);
PyObject* leave_all(PyObject* module, PyObject* none);
PyObject* after_fork_in_child(PyObject* module, PyObject* none);

// Closes and lets go.
void drop_session(DictObject* dict);

extern PyGetSetDef dict_getset[];

}  // namespace ultradict::python
