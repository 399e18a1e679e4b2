// SPDX-License-Identifier: Apache-2.0
// The whole dict goes through a plain copy: its repr, its comparison and its | are then dict's own.
#include "dict_whole.h"

#include <tuple>

#include "dict_read.h"
#include "nested.h"
#include "walk.h"

namespace ultradict::python {

namespace {

Ref as_plain_dict(PyObject* object, const ModuleState* module) {
  Ref copy = Ref::steal(PyDict_New());
  if (!copy || !add_items(copy.get(), object, module)) return Ref();
  return copy;
}

// 1 for any collections.abc.Mapping.
int is_mapping(ModuleState* module, PyObject* object) {
  if (PyDict_Check(object)) return 1;
  if (module->mapping_class.get() == nullptr) {
    const Ref abc = Ref::steal(PyImport_ImportModule("collections.abc"));
    Ref found = Ref::steal(abc ? PyObject_GetAttrString(abc.get(), "Mapping") : nullptr);
    if (!found) return -1;
    module->mapping_class.fill(std::move(found));
  }
  return PyObject_IsInstance(object, module->mapping_class.get());
}

// The repr of a dict, under way in this thread. Handles of one dict print as one object, also where one of them is a
// value in it: Py_ReprEnter, which asks for identity, would not do.
class ReprUnderWay {
 public:
  explicit ReprUnderWay(const Session* session) : reprs_(session->module->reprs) {
    const std::uint64_t thread = PyThreadState_GetID(PyThreadState_Get());
    std::tie(place_, is_first_) = reprs_.insert({thread, session->engine.id(), session->engine.child_id().born});
  }
  ReprUnderWay(const ReprUnderWay&) = delete;
  ReprUnderWay& operator=(const ReprUnderWay&) = delete;
  ~ReprUnderWay() {
    if (is_first_ && !is_unwound()) reprs_.erase(place_);
  }
  bool is_first() const noexcept { return is_first_; }

 private:
  Reprs& reprs_;
  Reprs::iterator place_;
  bool is_first_ = false;
};

// For a comparison: with nested dicts as they are now, not as they are when their turn comes.
Ref as_comparable(PyObject* object, const ModuleState* module) {
  if (!is_shared_dict(object, module)) return as_plain_dict(object, module);
  const Session* session = dict_object(object)->session;
  return session != nullptr && session->recurse ? deep_copy(object) : plain_copy(object);
}

PyObject* closed_repr(const DictObject* dict) {
  if (dict->session == nullptr) return PyUnicode_FromString("<UltraDict (never opened)>");
  return PyUnicode_FromFormat("<UltraDict '%s' (closed)>", dict->session->name.c_str());
}

// Of its items, or that it is gone: a repr that raises hides what people want to see.
PyObject* open_repr(PyObject* self) {
  const DictObject* dict = dict_object(self);
  const Ref copy = plain_copy(self);
  if (copy) return PyObject_Repr(copy.get());
  if (PyErr_ExceptionMatches(dict->module->errors.dict_deleted.get()) == 0) return nullptr;
  PyErr_Clear();
  return PyUnicode_FromFormat("<UltraDict '%s' (deleted)>", dict->session->name.c_str());
}

}  // namespace

bool copy_items(PyObject* self, PyObject* plain) {
  Session* session = open_session(self);
  if (session == nullptr) return false;
  const Use use(session);
  Walk walk(session);
  for (;;) {
    Ref key, value;
    const Walk::Step step = walk.next(Part::items, &key, &value);
    if (step == Walk::Step::end) return true;
    if (step == Walk::Step::error || PyDict_SetItem(plain, key.get(), value.get()) < 0) return false;
    if (session->closed) return raise_closed(session->module, session->name), false;
  }
}

bool add_items(PyObject* plain, PyObject* source, const ModuleState* module) {
  return is_shared_dict(source, module) ? copy_items(source, plain) : PyDict_Update(plain, source) == 0;
}

Ref plain_copy(PyObject* self) {
  Ref copy = Ref::steal(PyDict_New());
  if (!copy || !copy_items(self, copy.get())) return Ref();
  return copy;
}

PyObject* dict_copy(PyObject* self, PyObject*) { return plain_copy(self).release(); }

PyObject* dict_to_dict(PyObject* self, PyObject*) { return deep_copy(self).release(); }

PyObject* dict_repr(PyObject* self) {
  const DictObject* dict = dict_object(self);
  if (dict->session == nullptr || dict->session->closed) return closed_repr(dict);
  const ReprUnderWay repr(dict->session);
  return repr.is_first() ? open_repr(self) : PyUnicode_FromString("{...}");
}

PyObject* dict_compare(PyObject* self, PyObject* other, int operation) {
  const Session* session = open_session(self);
  if (session == nullptr) return nullptr;
  ModuleState* const module = session->module;  // what runs here may close the session
  const int mapping = operation == Py_EQ || operation == Py_NE ? is_mapping(module, other) : 0;
  if (mapping < 0) return nullptr;
  if (mapping == 0) return Ref::share(Py_NotImplemented).release();
  const Py_ssize_t own = dict_length(self);
  const Py_ssize_t others = own < 0 ? -1 : PyObject_Size(other);
  if (others < 0) return nullptr;
  if (others != own) return PyBool_FromLong(operation == Py_NE);
  const Ref left = as_comparable(self, module);
  if (!left) return nullptr;
  const bool ask_other = PyDict_Check(other) && !is_shared_dict(other, module);
  const Ref right = ask_other ? Ref::share(other) : as_comparable(other, module);
  return right ? PyObject_RichCompare(left.get(), right.get(), operation) : nullptr;
}

// A subclass of dict on the right decides over `dict | it`, and so it does here, to which it is none. NotImplemented:
// it leaves that to the left.
static Ref decided_by_right(PyObject* left, PyObject* right) {
  auto* const dict_type = reinterpret_cast<PyObject*>(&PyDict_Type);
  const Ref of_right = Ref::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(right)), "__ror__"));
  const Ref of_dict = Ref::steal(PyObject_GetAttrString(dict_type, "__ror__"));
  if (!of_right || !of_dict) return Ref();
  if (of_right.get() == of_dict.get()) return Ref::share(Py_NotImplemented);
  return Ref::steal(PyObject_CallFunctionObjArgs(of_right.get(), right, left, nullptr));
}

PyObject* dict_or(PyObject* left, PyObject* right) {
  if (!PyDict_Check(left) || !PyDict_Check(right)) return Ref::share(Py_NotImplemented).release();
  auto* state = module_state_of(Py_TYPE(left));
  if (state == nullptr) {
    PyErr_Clear();
    state = module_state_of(Py_TYPE(right));
  }
  if (state == nullptr) return nullptr;
  if (is_shared_dict(left, state) && !is_shared_dict(right, state) && !PyDict_CheckExact(right)) {
    Ref decided = decided_by_right(left, right);
    if (!decided || decided.get() != Py_NotImplemented) return decided.release();
  }
  Ref merged = as_plain_dict(left, state);
  return merged && add_items(merged.get(), right, state) ? merged.release() : nullptr;
}

PyObject* dict_sizeof(PyObject* self, PyObject*) {
  const Session* session = dict_object(self)->session;
  const std::size_t own = static_cast<std::size_t>(Py_TYPE(self)->tp_basicsize);
  return PyLong_FromSize_t(own + (session != nullptr ? session->cache.size() + sizeof(Session) : 0));
}

}  // namespace ultradict::python
