// SPDX-License-Identifier: Apache-2.0
// The module UltraDict._core: made in two phases, its state in C++ behind one pointer.
#include "module.h"

#include <new>

#include "common.h"
#include "dict_life.h"
#include "dict_type.h"
#include "elsewhere.h"
#include "iterator.h"
#include "lock_type.h"
#include "shared_bytes.h"
#include "views.h"

namespace ultradict::python {

namespace {

struct ModuleSlot {
  ModuleState* state;
};

ModuleSlot* slot_of(PyObject* module) { return static_cast<ModuleSlot*>(PyModule_GetState(module)); }

int module_traverse(PyObject* module, visitproc visit, void* arg) {
  ModuleState* state = slot_of(module)->state;
  return state != nullptr ? state->traverse(visit, arg) : 0;
}

int module_clear(PyObject* module) {
  if (ModuleState* state = slot_of(module)->state; state != nullptr) state->clear();
  return 0;
}

void module_free(void* module) {
  ModuleSlot* slot = slot_of(static_cast<PyObject*>(module));
  if (slot != nullptr) delete std::exchange(slot->state, nullptr);
}

bool make_type(PyObject* module, PyType_Spec* spec, PyObject* base, Ref* type) {
  const Ref bases = base != nullptr ? Ref::steal(PyTuple_Pack(1, base)) : Ref();
  *type = Ref::steal(PyType_FromModuleAndSpec(module, spec, bases.get()));
  return static_cast<bool>(*type);
}

bool make_types(PyObject* module, ModuleState* state) {
  Ref elsewhere_type;
  if (!make_type(module, &dict_spec, reinterpret_cast<PyObject*>(&PyDict_Type), &state->dict_type) ||
      !make_type(module, &lock_spec, nullptr, &state->lock_type) ||
      !make_type(module, &lock_request_spec, nullptr, &state->lock_request_type) ||
      !make_type(module, &keys_spec, nullptr, &state->keys_type) ||
      !make_type(module, &values_spec, nullptr, &state->values_type) ||
      !make_type(module, &items_spec, nullptr, &state->items_type) ||
      !make_type(module, &iterator_spec, nullptr, &state->iterator_type) ||
      !make_type(module, &shared_bytes_spec, nullptr, &state->shared_bytes_type) ||
      !make_type(module, &common_spec, nullptr, &state->common_type) ||
      !make_type(module, &elsewhere_spec, nullptr, &elsewhere_type)) {
    return false;
  }
  state->elsewhere = make_elsewhere(reinterpret_cast<PyTypeObject*>(elsewhere_type.get()));
  return static_cast<bool>(state->elsewhere);
}

// isinstance(d.keys(), collections.abc.KeysView)
bool register_view(PyObject* abc, const char* name, const Ref& type) {
  const Ref view_class = Ref::steal(PyObject_GetAttrString(abc, name));
  return view_class && Ref::steal(PyObject_CallMethod(view_class.get(), "register", "(O)", type.get()));
}

bool register_views(const ModuleState* state) {
  const Ref abc = Ref::steal(PyImport_ImportModule("collections.abc"));
  return abc && register_view(abc.get(), "KeysView", state->keys_type) &&
         register_view(abc.get(), "ValuesView", state->values_type) &&
         register_view(abc.get(), "ItemsView", state->items_type);
}

bool add_names(PyObject* module, const ModuleState* state) {
  const std::pair<const char*, const Ref&> names[] = {{"SharedDict", state->dict_type},
                                                      {"SharedLock", state->lock_type}};
  for (const auto& [name, object] : names) {
    if (PyModule_AddObject(module, name, Ref::share(object.get()).release()) < 0) return false;
  }
  return true;
}

void share_errors(ModuleState* state) {
  state->convert.damaged_error = state->errors.damaged.copy();
  state->convert.forbidden_error = state->errors.forbidden.copy();
  state->convert.mismatch_error = state->errors.parameter_mismatch.copy();
}

// What the end of the interpreter has not closed, in cycles or in threads, is left when all Python code has run.
bool leave_at_exit() {
  static const bool registered = Py_AtExit(Dict::leave_all) == 0;
  return registered ||
         (PyErr_SetString(PyExc_RuntimeError, "there is no room for one more function of Py_AtExit"), false);
}

int module_exec(PyObject* module) {
  auto* state = new (std::nothrow) ModuleState;
  if (state == nullptr) return PyErr_NoMemory(), -1;
  slot_of(module)->state = state;
  if (!state->errors.load()) return -1;
  share_errors(state);
  return make_types(module, state) && register_views(state) && add_names(module, state) && leave_at_exit() ? 0 : -1;
}

PyObject* interpreter_ends(PyObject*, PyObject*) {
  note_interpreter_ends();
  Py_RETURN_NONE;
}

PyMethodDef module_functions[] = {
    {"unlink_by_name", guarded<unlink_by_name>, METH_O, "Removes a dict by its name."},
    {"bind_methods", guarded<bind_methods>, METH_O,
     "Makes a subclass the class of nested dicts, and gives it the methods of SharedDict as its own: faster calls."},
    {"after_fork_in_child", guarded<after_fork_in_child>, METH_NOARGS,
     "Ends what the threads were doing that are not there."},
    {"leave_all", guarded<leave_all>, METH_NOARGS, "The end of the process: leaves every dict; what it created ends."},
    {"interpreter_ends", guarded<interpreter_ends>, METH_NOARGS, "Called by atexit."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(guarded<module_exec>)},
#if PY_VERSION_HEX >= 0x030c0000
    // Those of one process share mappings, which only their common lock keeps from going under a read.
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED},
#endif
    {0, nullptr},
};

PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT, "UltraDict._core", "UltraDict's engine and types.",
    sizeof(ModuleSlot),    module_functions,  module_slots,
    module_traverse,       module_clear,      module_free,
};

}  // namespace

bool ErrorClasses::load() {
  const Ref module = Ref::steal(PyImport_ImportModule("UltraDict.Exceptions"));
  if (!module) return false;
  const std::pair<const char*, Ref*> classes[] = {
      {"AlreadyClosed", &already_closed},
      {"AlreadyExists", &already_exists},
      {"CannotAcquireLock", &cannot_acquire_lock},
      {"CannotAcquireLockTimeout", &cannot_acquire_lock_timeout},
      {"CannotAttachSharedMemory", &cannot_attach},
      {"FullDumpMemoryFull", &full_dump_memory_full},
      {"ParameterMismatch", &parameter_mismatch},
      {"SharedMemoryFull", &shared_memory_full},
      {"Damaged", &damaged},
      {"OtherFormat", &other_format},
      {"Forbidden", &forbidden},
      {"Unsupported", &unsupported},
      {"SystemFailure", &system_failure},
      {"InternalError", &internal_error},
      {"InvalidParameter", &invalid_parameter},
      {"DictDeleted", &dict_deleted},
      {"CyclicReference", &cyclic_reference},
  };
  for (const auto& [name, kept] : classes) {
    *kept = Ref::steal(PyObject_GetAttrString(module.get(), name));
    if (!*kept) return false;
  }
  return true;
}

int ErrorClasses::traverse(visitproc visit, void* arg) {
  for (const Ref* kept :
       {&already_closed, &already_exists, &cannot_acquire_lock, &cannot_acquire_lock_timeout, &cannot_attach,
        &full_dump_memory_full, &parameter_mismatch, &shared_memory_full, &damaged, &other_format, &forbidden,
        &unsupported, &system_failure, &internal_error, &invalid_parameter, &dict_deleted, &cyclic_reference}) {
    Py_VISIT(kept->get());
  }
  return 0;
}

void ErrorClasses::clear() { *this = ErrorClasses(); }

int ModuleState::traverse(visitproc visit, void* arg) {
  if (const int stop = convert.traverse(visit, arg); stop != 0) return stop;
  if (const int stop = errors.traverse(visit, arg); stop != 0) return stop;
  for (const Ref* kept : {&dict_type, &handle_type, &lock_type, &lock_request_type, &keys_type, &values_type,
                          &items_type, &iterator_type, &shared_bytes_type, &common_type, &elsewhere}) {
    Py_VISIT(kept->get());
  }
  Py_VISIT(mapping_class.get());
  return 0;
}

void ModuleState::clear() {
  convert.clear();
  errors.clear();
  for (Ref* kept : {&dict_type, &handle_type, &lock_type, &lock_request_type, &keys_type, &values_type, &items_type,
                    &iterator_type, &shared_bytes_type, &common_type, &elsewhere}) {
    *kept = Ref();
  }
  mapping_class.clear();
}

ModuleState* state_of_module(PyObject* module) { return slot_of(module)->state; }

ModuleState* module_state_of(PyTypeObject* type) {
  PyObject* bases = type->tp_mro;
  for (Py_ssize_t number = 0; number < PyTuple_GET_SIZE(bases); ++number) {
    auto* base = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(bases, number));
    if ((base->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0) continue;
    PyObject* module = PyType_GetModule(base);
    if (module == nullptr) {
      PyErr_Clear();
    } else if (PyModule_GetDef(module) == &module_definition) {
      return state_of_module(module);
    }
  }
  PyErr_SetString(PyExc_TypeError, "not a subclass of UltraDict");
  return nullptr;
}

}  // namespace ultradict::python

PyMODINIT_FUNC PyInit__core() { return PyModuleDef_Init(&ultradict::python::module_definition); }
