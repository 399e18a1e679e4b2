// SPDX-License-Identifier: Apache-2.0
// Serializers: what a user passes, under which name it is recorded in the dict, and how another process finds it again.
#include <string>

#include "convert.h"

namespace ultradict::python {

namespace {

constexpr std::string_view default_name = "pickle";
constexpr std::string_view instance_mark = "()";  // ends the name of what was an instance

// Whether `object` is the module pickle. If nobody has imported that module it cannot be.
bool is_pickle(PyObject* object) {
  Ref name = Ref::steal(PyUnicode_FromStringAndSize(default_name.data(), default_name.size()));
  Ref module = name ? Ref::steal(PyImport_GetModule(name.get())) : Ref();
  PyErr_Clear();
  return module && module.get() == object;
}

bool text_attribute(PyObject* object, const char* attribute, std::string* text) {
  Ref value = Ref::steal(PyObject_GetAttrString(object, attribute));
  const char* utf8 = value ? PyUnicode_AsUTF8(value.get()) : nullptr;
  if (utf8 == nullptr) return false;
  *text = utf8;
  return true;
}

bool recorded_name(PyObject* object, std::string* name) {
  if (PyModule_Check(object)) return text_attribute(object, "__name__", name);
  const bool is_class = PyType_Check(object);
  PyObject* type = is_class ? object : reinterpret_cast<PyObject*>(Py_TYPE(object));
  std::string module, qualified;
  if (!text_attribute(type, "__module__", &module) || !text_attribute(type, "__qualname__", &qualified)) return false;
  *name = module + ":" + qualified;
  if (!is_class) *name += instance_mark;
  return true;
}

// A missing attribute is the user's mistake, whatever else __getattr__ raises is theirs to see.
Ref callable_attribute(PyObject* object, const char* attribute) {
  Ref value = Ref::steal(PyObject_GetAttrString(object, attribute));
  const bool missing = !value && PyErr_ExceptionMatches(PyExc_AttributeError);
  if (!missing && (!value || PyCallable_Check(value.get()))) return value;
  PyErr_Format(PyExc_TypeError, "serializer must have callables dumps and loads; %R lacks %s", object, attribute);
  return Ref();
}

Ref import_by_name(const std::string& name) {
  const std::size_t colon = name.find(':');
  Ref object = Ref::steal(PyImport_ImportModule(name.substr(0, colon).c_str()));
  std::size_t begin = colon;
  while (object && begin != std::string::npos) {
    const std::size_t end = name.find('.', begin + 1);
    object = Ref::steal(PyObject_GetAttrString(object.get(), name.substr(begin + 1, end - begin - 1).c_str()));
    begin = end;
  }
  return object;
}

bool raise_mismatch(const ConvertState& state, const std::string& name) {
  PyObject* type = state.mismatch_error ? state.mismatch_error.get() : PyExc_ValueError;
  PyErr_Format(
      type, "the dict was created with serializer '%s', which cannot be imported here: pass serializer=", name.c_str());
  return false;
}

// mismatch_error, with the exception that is raised now as its cause; an emergency stays as it is.
bool raise_mismatch_from(const ConvertState& state, const std::string& name) {
  if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)) return false;
  Ref cause = take_raised();
  raise_mismatch(state, name);
  const Ref raised = take_raised();
  PyException_SetCause(raised.get(), cause.release());
  return raise_again(raised.get()), false;
}

}  // namespace

Serializer Serializer::copy() const {
  Serializer other;
  other.state = state;
  other.object = object.copy();
  other.dumps = dumps.copy();
  other.loads = loads.copy();
  other.name = name;
  other.is_default = is_default;
  other.allow_pickle = allow_pickle;
  return other;
}

int Serializer::traverse(visitproc visit, void* arg) const {
  Py_VISIT(object.get());
  Py_VISIT(dumps.get());
  Py_VISIT(loads.get());
  return 0;
}

void Serializer::drop_objects() {
  object = Ref();
  dumps = Ref();
  loads = Ref();
}

void Serializer::clear() {
  drop_objects();
  name = default_name;
  is_default = true;
}

bool resolve_serializer(ConvertState& state, PyObject* object, bool allow_pickle, Serializer* serializer) {
  serializer->clear();
  serializer->state = &state;
  serializer->allow_pickle = allow_pickle;
  if (object == nullptr || object == Py_None || is_pickle(object)) return true;
  Ref dumps = callable_attribute(object, "dumps");
  Ref loads = dumps ? callable_attribute(object, "loads") : Ref();
  std::string name;
  if (!loads || !recorded_name(object, &name)) return false;
  serializer->object = Ref::share(object);
  serializer->dumps = std::move(dumps);
  serializer->loads = std::move(loads);
  serializer->name = std::move(name);
  serializer->is_default = false;
  return true;
}

bool import_serializer(ConvertState& state, std::string_view name, bool allow_pickle, Serializer* serializer) {
  if (name == default_name) return resolve_serializer(state, nullptr, allow_pickle, serializer);
  const std::string wanted(name);
  if (!allow_pickle) {
    const std::string message = "the dict was created with serializer '" + wanted +
                                "', and allow_pickle=False imports nothing: pass serializer=";
    return state.raise_forbidden(message.c_str()) != nullptr;
  }
  if (name.size() > instance_mark.size() && name.ends_with(instance_mark)) return raise_mismatch(state, wanted);
  Ref object = import_by_name(wanted);
  if (!object || !resolve_serializer(state, object.get(), allow_pickle, serializer)) {
    return raise_mismatch_from(state, wanted);
  }
  return true;
}

PyObject* serializer_object(const Serializer& serializer) {
  if (!serializer.is_default) return serializer.object.copy().release();
  return PyImport_ImportModule(default_name.data());
}

}  // namespace ultradict::python
