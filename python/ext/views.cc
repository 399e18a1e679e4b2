// SPDX-License-Identifier: Apache-2.0
// Views: length, membership, iteration and repr, in dict's words.
#include "views.h"

#include "dict_read.h"
#include "iterator.h"
#include "lookup.h"

namespace ultradict::python {

namespace {

PyObject* make_view(PyObject* dict, const Ref& type) {
  if (open_session(dict) == nullptr) return nullptr;
  auto* view = PyObject_GC_New(ViewObject, reinterpret_cast<PyTypeObject*>(type.get()));
  if (view == nullptr) return nullptr;
  view->dict = Ref::share(dict).release();
  auto* object = reinterpret_cast<PyObject*>(view);
  PyObject_GC_Track(object);
  return object;
}

// Of a cycle through the dict its session lets go: until its end a view has its dict.
int view_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(dict_of_view(self));
  return 0;
}

void view_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  PyTypeObject* type = Py_TYPE(self);
  Py_DECREF(dict_of_view(self));
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

Py_ssize_t view_length(PyObject* self) { return dict_length(dict_of_view(self)); }

int keys_contains(PyObject* self, PyObject* key) { return dict_contains(dict_of_view(self), key); }

int items_contains(PyObject* self, PyObject* item) {
  if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) return 0;
  PyObject* key = PyTuple_GET_ITEM(item, 0);
  const Py_hash_t hash = hash_of_key(key);
  if (hash == -1) return raise_unhashable(key), -1;
  Session* session = open_session(dict_of_view(self));
  if (session == nullptr) return -1;
  const Ref value = Ref::steal(read_value(session, key, hash));
  if (value) return PyObject_RichCompareBool(value.get(), PyTuple_GET_ITEM(item, 1), Py_EQ);
  return PyErr_Occurred() != nullptr ? -1 : 0;
}

PyObject* view_iter(PyObject* self) {
  return make_iterator(dict_of_view(self), part_of_view(self), Cursor::Direction::forward);
}

PyObject* view_reversed(PyObject* self, PyObject*) {
  return make_iterator(dict_of_view(self), part_of_view(self), Cursor::Direction::backward);
}

PyObject* view_repr(PyObject* self) {
  static const char* const names[] = {"dict_keys", "dict_values", "dict_items"};
  const int cycle = Py_ReprEnter(self);
  if (cycle != 0) return cycle > 0 ? PyUnicode_FromString("...") : nullptr;
  const Ref list = Ref::steal(PySequence_List(self));
  PyObject* text =
      list ? PyUnicode_FromFormat("%s(%R)", names[static_cast<int>(part_of_view(self))], list.get()) : nullptr;
  Py_ReprLeave(self);
  return text;
}

PyObject* view_mapping(PyObject* self, void*) { return PyDictProxy_New(dict_of_view(self)); }

PyMethodDef set_view_methods[] = {
    {"isdisjoint", guarded<view_is_disjoint>, METH_O, "True if the view and the iterable have no element in common."},
    {"__reversed__", guarded<view_reversed>, METH_NOARGS, "A reverse iterator over the view."},
    {nullptr, nullptr, 0, nullptr},
};

PyMethodDef values_methods[] = {
    {"__reversed__", guarded<view_reversed>, METH_NOARGS, "A reverse iterator over the values."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef view_getset[] = {
    {"mapping", guarded<view_mapping>, nullptr, "The dict behind this view, read-only.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

#define ULTRADICT_VIEW_SLOTS                                                                                \
  {Py_tp_new, reinterpret_cast<void*>(refuse_new)}, {Py_tp_dealloc, reinterpret_cast<void*>(view_dealloc)}, \
      {Py_tp_traverse, reinterpret_cast<void*>(view_traverse)},                                             \
      {Py_tp_iter, reinterpret_cast<void*>(guarded<view_iter>)},                                            \
      {Py_tp_repr, reinterpret_cast<void*>(guarded<view_repr>)}, {Py_tp_getset, view_getset}, {             \
    Py_sq_length, reinterpret_cast<void*>(guarded<view_length>)                                             \
  }

#define ULTRADICT_SET_SLOTS                                                                                           \
  {Py_tp_richcompare, reinterpret_cast<void*>(guarded<view_compare>)},                                                \
      {Py_tp_hash, reinterpret_cast<void*>(PyObject_HashNotImplemented)},                                             \
      {Py_nb_and, reinterpret_cast<void*>(guarded<view_and>)}, {Py_nb_or, reinterpret_cast<void*>(guarded<view_or>)}, \
      {Py_nb_xor, reinterpret_cast<void*>(guarded<view_xor>)},                                                        \
      {Py_nb_subtract, reinterpret_cast<void*>(guarded<view_subtract>)}, {                                            \
    Py_tp_methods, set_view_methods                                                                                   \
  }

PyType_Slot keys_slots[] = {ULTRADICT_VIEW_SLOTS,
                            ULTRADICT_SET_SLOTS,
                            {Py_sq_contains, reinterpret_cast<void*>(guarded<keys_contains>)},
                            {0, nullptr}};
PyType_Slot items_slots[] = {ULTRADICT_VIEW_SLOTS,
                             ULTRADICT_SET_SLOTS,
                             {Py_sq_contains, reinterpret_cast<void*>(guarded<items_contains>)},
                             {0, nullptr}};
PyType_Slot values_slots[] = {ULTRADICT_VIEW_SLOTS, {Py_tp_methods, values_methods}, {0, nullptr}};

#undef ULTRADICT_VIEW_SLOTS
#undef ULTRADICT_SET_SLOTS

constexpr unsigned view_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC;

}  // namespace

PyType_Spec keys_spec = {"UltraDict._core.keys", sizeof(ViewObject), 0, view_flags, keys_slots};
PyType_Spec values_spec = {"UltraDict._core.values", sizeof(ViewObject), 0, view_flags, values_slots};
PyType_Spec items_spec = {"UltraDict._core.items", sizeof(ViewObject), 0, view_flags, items_slots};

Part part_of_view(PyObject* view) {
  const ModuleState* module = dict_object(dict_of_view(view))->module;
  auto* type = reinterpret_cast<PyObject*>(Py_TYPE(view));
  if (type == module->values_type.get()) return Part::values;
  return type == module->items_type.get() ? Part::items : Part::keys;
}

bool is_set_view(const ModuleState* module, PyObject* object) {
  auto* type = reinterpret_cast<PyObject*>(Py_TYPE(object));
  return type == module->keys_type.get() || type == module->items_type.get();
}

PyObject* dict_keys(PyObject* self, PyObject*) { return make_view(self, dict_object(self)->module->keys_type); }

PyObject* dict_values(PyObject* self, PyObject*) { return make_view(self, dict_object(self)->module->values_type); }

PyObject* dict_items(PyObject* self, PyObject*) { return make_view(self, dict_object(self)->module->items_type); }

}  // namespace ultradict::python
