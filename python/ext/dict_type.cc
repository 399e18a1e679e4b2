// SPDX-License-Identifier: Apache-2.0
// The type: its tables, its birth and its end.
#include "dict_type.h"

#include "dict_life.h"
#include "dict_read.h"
#include "dict_whole.h"
#include "dict_write.h"
#include "elsewhere.h"
#include "iterator.h"
#include "value_view.h"
#include "views.h"

namespace ultradict::python {

namespace {

PyObject* dict_new(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
  ModuleState* module = module_state_of(type);
  if (module == nullptr) return nullptr;
  Ref self = Ref::steal(PyDict_Type.tp_new(type, arguments, keywords));
  if (!self) return nullptr;
  dict_object(self.get())->module = module;
  if (!place_elsewhere(module->elsewhere.get(), self.get())) return nullptr;
  return self.release();
}

// Cycles go through the session or through extra attributes, which are cleared for themselves.
int dict_traverse(PyObject* self, visitproc visit, void* arg) {
  DictObject* dict = dict_object(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(dict->lock);
  if (dict->session != nullptr) Py_VISIT(dict->session->common);
  return PyDict_Type.tp_traverse(self, visit, arg);
}

void dict_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  PyTypeObject* type = Py_TYPE(self);
  {
    const RaisedKept kept;
    drop_session(dict_object(self));
  }
  PyDict_Type.tp_dealloc(self);
  Py_DECREF(type);
}

PyMethodDef dict_methods[] = {
    {"get", method(guarded<dict_get>), METH_FASTCALL,
     "get($self, key, default=None, /)\n--\n\nThe value of the key if it is there, else default."},
    {"has_key", guarded<dict_has_key>, METH_O, "has_key($self, key, /)\n--\n\nWhether the key is there: key in d."},
    {"view", guarded<dict_view>, METH_O,
     "view($self, key, /)\n--\n\nThe value without a copy, read-only: a memoryview of bytes, or an object over shared "
     "buffers."},
    {"setdefault", method(guarded<dict_setdefault>), METH_FASTCALL,
     "setdefault($self, key, default=None, /)\n--\n\nThe value of the key, which is inserted with the default if it is "
     "missing."},
    {"pop", method(guarded<dict_pop>), METH_FASTCALL,
     "pop($self, key, /, *default)\n--\n\nRemoves the key and returns its value. If it is missing: the default, or "
     "KeyError if none is given."},
    {"popitem", guarded<dict_popitem>, METH_NOARGS,
     "popitem($self, /)\n--\n\nRemoves and returns the last inserted (key, value) pair."},
    {"update", method(guarded<dict_update>), words_too,
     "update($self, data=None, /, **items)\n--\n\nWrites all items of a mapping, of pairs, of keywords: all or "
     "nothing."},
    {"clear", guarded<dict_clear>, METH_NOARGS, "clear($self, /)\n--\n\nRemoves all items."},
    {"keys", guarded<dict_keys>, METH_NOARGS, "keys($self, /)\n--\n\nA live view of the keys."},
    {"values", guarded<dict_values>, METH_NOARGS, "values($self, /)\n--\n\nA live view of the values."},
    {"items", guarded<dict_items>, METH_NOARGS, "items($self, /)\n--\n\nA live view of the (key, value) pairs."},
    {"copy", guarded<dict_copy>, METH_NOARGS, "copy($self, /)\n--\n\nAll items in a plain dict."},
    {"to_dict", guarded<dict_to_dict>, METH_NOARGS,
     "to_dict($self, /)\n--\n\nAll items in a plain dict, nested dicts too as plain ones."},
    {"as_pure_dictionary", guarded<dict_to_dict>, METH_NOARGS,
     "as_pure_dictionary($self, /)\n--\n\nThe same as to_dict()."},
    {"__copy__", guarded<dict_copy>, METH_NOARGS, "__copy__($self, /)\n--\n\nAll items in a plain dict."},
    {"__reversed__", guarded<dict_reversed>, METH_NOARGS,
     "__reversed__($self, /)\n--\n\nA reverse iterator over the keys."},
    {"__sizeof__", guarded<dict_sizeof>, METH_NOARGS,
     "__sizeof__($self, /)\n--\n\nBytes that this process holds for the dict, shared memory not counted."},
    {"apply_update", guarded<dict_apply_update>, METH_NOARGS,
     "apply_update($self, /)\n--\n\nBrings `data` up to date, if it was fetched."},
    {"load", method(guarded<dict_load>), words_too,
     "load($self, /, force=False)\n--\n\nLike apply_update; force=True decodes all anew."},
    {"dump", guarded<dict_dump>, METH_NOARGS,
     "dump($self, /)\n--\n\nCleans the log and starts the stream counters anew."},
    {"stats", guarded<dict_stats>, METH_NOARGS,
     "stats($self, /)\n--\n\nFigures about shared memory, the object cache and the lock; docs/performance.md says "
     "what each means."},
    {"_shared_open", method(guarded<dict_open>), words_too, "Creates or attaches."},
    {"_shared_check_open", guarded<dict_check_open>, METH_NOARGS, "Raises AlreadyClosed if the handle is."},
    {"_close", guarded<dict_close>, METH_NOARGS, "Closes the handle."},
    {"_shared_abandon", guarded<dict_abandon>, METH_NOARGS, "Undoes _shared_open."},
    {"_unlink", guarded<dict_unlink>, METH_NOARGS, "Removes the dict and closes the handle."},
    {"_shared_handle", guarded<dict_handle>, METH_NOARGS, "What pickle needs to attach again."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot dict_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(guarded<dict_new>)},
    {Py_tp_dealloc, reinterpret_cast<void*>(dict_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(dict_traverse)},
    {Py_tp_iter, reinterpret_cast<void*>(guarded<dict_iter>)},
    {Py_tp_repr, reinterpret_cast<void*>(guarded<dict_repr>)},
    {Py_tp_richcompare, reinterpret_cast<void*>(guarded<dict_compare>)},
    {Py_tp_hash, reinterpret_cast<void*>(PyObject_HashNotImplemented)},
    {Py_tp_methods, dict_methods},
    {Py_tp_getset, dict_getset},
    {Py_mp_subscript, reinterpret_cast<void*>(guarded<dict_subscript>)},
    {Py_mp_ass_subscript, reinterpret_cast<void*>(guarded<dict_assign>)},
    {Py_mp_length, reinterpret_cast<void*>(guarded<dict_length>)},
    {Py_sq_contains, reinterpret_cast<void*>(guarded<dict_contains>)},
    {Py_nb_or, reinterpret_cast<void*>(guarded<dict_or>)},
    {Py_nb_inplace_or, reinterpret_cast<void*>(guarded<dict_inplace_or>)},
    {0, nullptr},
};

}  // namespace

PyObject* bind_methods(PyObject* module, PyObject* type) {
  if (!PyType_Check(type)) return PyErr_SetString(PyExc_TypeError, "bind_methods: not a class"), nullptr;
  state_of_module(module)->handle_type = Ref::share(type);
  for (PyMethodDef* definition = dict_methods; definition->ml_name != nullptr; ++definition) {
    if (definition->ml_flags != METH_FASTCALL) continue;
    const Ref bound = Ref::steal(PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type), definition));
    if (!bound || PyObject_SetAttrString(type, definition->ml_name, bound.get()) < 0) return nullptr;
  }
  Py_RETURN_NONE;
}

PyType_Spec dict_spec = {"UltraDict._core.SharedDict", sizeof(DictObject), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, dict_slots};

}  // namespace ultradict::python
