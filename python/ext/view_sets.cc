// SPDX-License-Identifier: Apache-2.0
// Keys and items as sets: comparison by containment (values need not be hashable for that), operations through a real
// set.
#include "views.h"

namespace ultradict::python {

namespace {

// Whether every element of `part` is in `whole`; -1 with an exception.
int all_contained(PyObject* part, PyObject* whole) {
  const Ref iterator = Ref::steal(PyObject_GetIter(part));
  if (!iterator) return -1;
  while (const Ref element = Ref::steal(PyIter_Next(iterator.get()))) {
    const int contained = PySequence_Contains(whole, element.get());
    if (contained <= 0) return contained;
  }
  return PyErr_Occurred() != nullptr ? -1 : 1;
}

// set(left).method(right): the operators accept any iterable on either side, as those of dict's views do.
PyObject* through_set(PyObject* left, PyObject* right, const char* method) {
  const Ref set = Ref::steal(PySet_New(left));
  if (!set) return nullptr;
  return PyObject_CallMethod(set.get(), method, "(O)", right);  // a bare O would take a tuple for all arguments
}

bool comparable(PyObject* self, PyObject* other) {
  return PyAnySet_Check(other) || PyDictKeys_Check(other) || PyDictItems_Check(other) ||
         is_set_view(dict_object(dict_of_view(self))->module, other);
}

int compare(PyObject* self, Py_ssize_t own, PyObject* other, Py_ssize_t others, int operation) {
  switch (operation) {
    case Py_EQ:
      return own == others ? all_contained(self, other) : 0;
    case Py_NE: {
      const int equal = own == others ? all_contained(self, other) : 0;
      return equal < 0 ? -1 : 1 - equal;
    }
    case Py_LT:
      return own < others ? all_contained(self, other) : 0;
    case Py_LE:
      return own <= others ? all_contained(self, other) : 0;
    case Py_GT:
      return own > others ? all_contained(other, self) : 0;
    default:
      return own >= others ? all_contained(other, self) : 0;
  }
}

// One of them is a view of ours.
const ModuleState* module_of_either(PyObject* left, PyObject* right) {
  const auto is_ours = [](PyObject* object) {
    return Py_TYPE(object)->tp_as_number != nullptr && Py_TYPE(object)->tp_as_number->nb_and == guarded<view_and>;
  };
  return dict_object(dict_of_view(is_ours(left) ? left : right))->module;
}

// Adds those that are in `whole`, or those that are not.
Ref add_elements(Ref set, PyObject* elements, PyObject* whole, bool contained) {
  const Ref iterator = Ref::steal(PyObject_GetIter(elements));
  if (!set || !iterator) return Ref();
  while (const Ref element = Ref::steal(PyIter_Next(iterator.get()))) {
    const int found = PySequence_Contains(whole, element.get());
    if (found < 0 || ((found > 0) == contained && PySet_Add(set.get(), element.get()) < 0)) return Ref();
  }
  return PyErr_Occurred() != nullptr ? Ref() : std::move(set);
}

bool are_items(const ModuleState* module, PyObject* object) {
  return PyDictItems_Check(object) || (is_set_view(module, object) && part_of_view(object) == Part::items);
}

}  // namespace

PyObject* view_compare(PyObject* self, PyObject* other, int operation) {
  if (!comparable(self, other)) return Ref::share(Py_NotImplemented).release();
  const Py_ssize_t own = PyObject_Size(self);
  const Py_ssize_t others = own < 0 ? -1 : PyObject_Size(other);
  if (others < 0) return nullptr;
  const int result = compare(self, own, other, others, operation);
  return result < 0 ? nullptr : PyBool_FromLong(result);
}

// As dict does: what need not be hashed is not, and the result has the elements of the other side.
PyObject* view_and(PyObject* left, PyObject* right) {
  const ModuleState* module = module_of_either(left, right);
  PyObject* view = is_set_view(module, left) ? left : right;
  PyObject* other = view == left ? right : left;
  const Py_ssize_t own = PyObject_Size(view);
  if (own < 0) return nullptr;
  const bool is_view = is_set_view(module, other) || PyDictViewSet_Check(other);
  const bool is_set = Py_IS_TYPE(other, &PySet_Type);
  const Py_ssize_t others = is_view || is_set ? PyObject_Size(other) : 0;
  if (others < 0) return nullptr;
  if (is_set && own <= others) return PyObject_CallMethod(other, "intersection", "(O)", view);
  if (is_view && others > own) std::swap(view, other);
  return add_elements(Ref::steal(PySet_New(nullptr)), other, view, true).release();
}

PyObject* view_or(PyObject* left, PyObject* right) { return through_set(left, right, "union"); }

// Of items, those that both sides have need not be hashable.
PyObject* view_xor(PyObject* left, PyObject* right) {
  const ModuleState* module = module_of_either(left, right);
  if (!are_items(module, left) || !are_items(module, right)) return through_set(left, right, "symmetric_difference");
  Ref set = add_elements(Ref::steal(PySet_New(nullptr)), left, right, false);
  return set ? add_elements(std::move(set), right, left, false).release() : nullptr;
}

PyObject* view_subtract(PyObject* left, PyObject* right) { return through_set(left, right, "difference"); }

PyObject* view_is_disjoint(PyObject* self, PyObject* other) {
  if (self == other) {
    const Py_ssize_t length = PyObject_Size(self);
    return length < 0 ? nullptr : PyBool_FromLong(length == 0);
  }
  const Ref iterator = Ref::steal(PyObject_GetIter(other));
  if (!iterator) return nullptr;
  while (const Ref element = Ref::steal(PyIter_Next(iterator.get()))) {
    const int contained = PySequence_Contains(self, element.get());
    if (contained != 0) return contained < 0 ? nullptr : Ref::share(Py_False).release();
  }
  return PyErr_Occurred() != nullptr ? nullptr : Ref::share(Py_True).release();
}

}  // namespace ultradict::python
