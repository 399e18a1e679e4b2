// SPDX-License-Identifier: Apache-2.0
// An iterator holds its dict until it is exhausted. It never fails because another process writes; when this process
// changes the number of keys through this handle it raises, as dict does.
#include "iterator.h"

#include <algorithm>
#include <memory>
#include <new>

namespace ultradict::python {

namespace {

// What __length_hint__ says at most: who asks takes memory on its word, and a damaged count may say anything.
constexpr std::uint64_t left_max = 1 << 24;

struct IteratorObject {
  PyObject_HEAD PyObject* dict;  // null: exhausted
  Session* session;              // of the dict when it was made, owned: its cache and engine are what is walked
  PyObject* pair;                // the last one handed out: used again if nobody kept it
  Walk* walk;
  std::int64_t size_changes;
  Py_ssize_t left;
  Part part;
  int steps;          // under way: decoding may run code that takes a step of this very iterator
  bool size_changed;  // it stays so
};

IteratorObject* iterator_object(PyObject* object) { return reinterpret_cast<IteratorObject*>(object); }

void exhaust(IteratorObject* iterator) {
  delete std::exchange(iterator->walk, nullptr);
  if (Session* session = std::exchange(iterator->session, nullptr); session != nullptr) session->release();
  Py_CLEAR(iterator->pair);
  Py_CLEAR(iterator->dict);
}

// Of a cycle through the dict its session lets go, not the iterator: another thread may be in the midst of a step.
int iterator_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(iterator_object(self)->dict);
  Py_VISIT(iterator_object(self)->pair);
  return 0;
}

void iterator_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  PyTypeObject* type = Py_TYPE(self);
  exhaust(iterator_object(self));
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

// Null with an exception: it was closed, also if the object was opened anew.
Session* open_session(const IteratorObject* iterator) {
  Session* session = iterator->session;
  if (session->closed) return raise_closed(session->module, session->name), nullptr;
  return session;
}

bool check_size(IteratorObject* iterator, const Session* session) {
  if (!iterator->size_changed && iterator->size_changes == session->size_changes) return true;
  iterator->size_changed = true;
  iterator->left = 0;
  PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
  return false;
}

// As dict does: a loop that unpacks its pairs needs one tuple. Takes over both references.
PyObject* pair_again(PyObject* pair, PyObject* key, PyObject* value) {
  PyObject* const old_key = PyTuple_GET_ITEM(pair, 0);
  PyObject* const old_value = PyTuple_GET_ITEM(pair, 1);
  Py_INCREF(pair);
  PyTuple_SET_ITEM(pair, 0, key);
  PyTuple_SET_ITEM(pair, 1, value);
#if PY_VERSION_HEX >= 0x030E0000
  reinterpret_cast<PyTupleObject*>(pair)->ob_hash = -1;  // it remembers the hash of what it held
#endif
  // The collector lets go of tuples that hold nothing it cares for; this one may now.
  if (PyObject_GC_IsTracked(pair) == 0) PyObject_GC_Track(pair);
  Py_DECREF(old_key);
  Py_DECREF(old_value);
  return pair;
}

PyObject* new_pair(IteratorObject* iterator, Ref key, Ref value) {
  PyObject* pair = PyTuple_New(2);
  if (pair == nullptr) return nullptr;
  PyTuple_SET_ITEM(pair, 0, key.release());
  PyTuple_SET_ITEM(pair, 1, value.release());
  const Ref old = Ref::steal(std::exchange(iterator->pair, Ref::share(pair).release()));
  return pair;
}

PyObject* pair_of(IteratorObject* iterator, Ref key, Ref value) {
  PyObject* pair = iterator->pair;
  if (pair != nullptr && Py_REFCNT(pair) == 1) return pair_again(pair, key.release(), value.release());
  return new_pair(iterator, std::move(key), std::move(value));
}

PyObject* part_of(IteratorObject* iterator, Ref key, Ref value) {
  if (iterator->part == Part::keys) return key.release();
  if (iterator->part == Part::values) return value.release();
  return pair_of(iterator, std::move(key), std::move(value));
}

PyObject* part_of(IteratorObject* iterator, const Cache::Item& item) {
  PyObject* const one = iterator->part == Part::values ? item.value : item.key;
  if (iterator->part == Part::items) return pair_of(iterator, Ref::share(item.key), Ref::share(item.value));
  return Py_INCREF(one), one;
}

// A StopIteration that a value raised while it was loaded would end the loop as if there were no more: as PEP 479 has
// it for generators, it is the cause of a RuntimeError.
void raise_no_end() {
  if (PyErr_ExceptionMatches(PyExc_StopIteration) == 0) return;
  const Ref cause = take_raised();
  PyErr_SetString(PyExc_RuntimeError, "loading an item raised StopIteration");
  const Ref raised = take_raised();
  PyException_SetCause(raised.get(), Ref::share(cause.get()).release());
  PyException_SetContext(raised.get(), Ref::share(cause.get()).release());
  raise_again(raised.get());
}

class StepUnderWay {
 public:
  explicit StepUnderWay(IteratorObject* iterator) : iterator_(iterator) { ++iterator_->steps; }
  StepUnderWay(const StepUnderWay&) = delete;
  StepUnderWay& operator=(const StepUnderWay&) = delete;
  ~StepUnderWay() {
    if (!is_unwound()) --iterator_->steps;
  }

 private:
  IteratorObject* iterator_;
};

Walk::Step next_step(IteratorObject* iterator, Ref* key, Ref* value) {
  const StepUnderWay under_way(iterator);
  return iterator->walk->next(iterator->part, key, value);
}

[[gnu::noinline]] PyObject* next_of_walk(PyObject* self) {
  IteratorObject* iterator = iterator_object(self);
  if (iterator->walk == nullptr) return nullptr;
  const Session* session = open_session(iterator);
  if (session == nullptr || !check_size(iterator, session)) return nullptr;
  Ref key, value;
  const Walk::Step step = next_step(iterator, &key, &value);
  if (step == Walk::Step::item) {
    if (iterator->left > 0) --iterator->left;
    return part_of(iterator, std::move(key), std::move(value));
  }
  if (step == Walk::Step::end && iterator->steps == 0) exhaust(iterator);
  if (step == Walk::Step::error) raise_no_end();
  return nullptr;
}

PyObject* iterator_next(PyObject* self) {
  IteratorObject* iterator = iterator_object(self);
  if (iterator->walk == nullptr) return nullptr;
  const Session* session = iterator->session;
  if (session->closed || iterator->size_changes != session->size_changes || iterator->size_changed) {
    return next_of_walk(self);
  }
  const Cache::Item* item = iterator->walk->next_at_hand(iterator->part);
  if (item == nullptr) return next_of_walk(self);
  if (iterator->left > 0) --iterator->left;
  return part_of(iterator, *item);
}

// Takes over the walk; null without memory.
PyObject* new_iterator(PyObject* dict, Session* session, Part part, Walk* walk) {
  std::unique_ptr<Walk> owned(walk);
  const Use use(session);  // making an object may run Python code
  auto* type = reinterpret_cast<PyTypeObject*>(session->module->iterator_type.get());
  auto* iterator = owned ? PyObject_GC_New(IteratorObject, type) : nullptr;
  if (iterator == nullptr) return PyErr_NoMemory();
  iterator->dict = Ref::share(dict).release();
  iterator->session = session;
  ++session->owners;
  iterator->pair = nullptr;
  iterator->walk = owned.release();
  iterator->size_changes = session->size_changes;
  iterator->left = static_cast<Py_ssize_t>(std::min(session->engine.count(), left_max));
  iterator->part = part;
  iterator->steps = 0;
  iterator->size_changed = false;
  auto* object = reinterpret_cast<PyObject*>(iterator);
  PyObject_GC_Track(object);
  return object;
}

PyObject* copy_of(IteratorObject* iterator) {
  Session* session = open_session(iterator);
  if (session == nullptr) return nullptr;
  const Ref dict = Ref::share(iterator->dict);  // making an object may run Python code, which exhausts this one
  PyObject* copy = new_iterator(dict.get(), session, iterator->part, new (std::nothrow) Walk(*iterator->walk));
  if (copy != nullptr) {
    iterator_object(copy)->size_changes = iterator->size_changes;
    iterator_object(copy)->size_changed = iterator->size_changed;
  }
  return copy;
}

PyObject* iterator_length_hint(PyObject* self, PyObject*) {
  const IteratorObject* iterator = iterator_object(self);
  if (iterator->walk == nullptr || iterator->size_changed) return PyLong_FromLong(0);
  const bool holds = iterator->size_changes == iterator->session->size_changes;
  return PyLong_FromSsize_t(holds ? iterator->left : 0);
}

// What is left as a list, taken from a copy of this iterator.
Ref rest_of(IteratorObject* iterator) {
  const Ref copy = Ref::steal(copy_of(iterator));
  return copy ? Ref::steal(PySequence_List(copy.get())) : Ref();
}

// As those of dict: what is pickled or copied is an iterator over what is left now.
PyObject* iterator_reduce(PyObject* self, PyObject*) {
  IteratorObject* iterator = iterator_object(self);
  const Ref rest = iterator->walk != nullptr ? rest_of(iterator) : Ref::steal(PyList_New(0));
  if (!rest) return nullptr;
  const Ref builtins = Ref::steal(PyImport_ImportModule("builtins"));
  const Ref iter = builtins ? Ref::steal(PyObject_GetAttrString(builtins.get(), "iter")) : Ref();
  return iter ? Py_BuildValue("O(O)", iter.get(), rest.get()) : nullptr;
}

PyMethodDef iterator_methods[] = {
    {"__reduce__", guarded<iterator_reduce>, METH_NOARGS, "An iterator over a list of what is left."},
    {"__length_hint__", guarded<iterator_length_hint>, METH_NOARGS, "About how many items are left."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot iterator_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(refuse_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(iterator_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(iterator_traverse)},
    {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_tp_iternext, reinterpret_cast<void*>(guarded<iterator_next>)},
    {Py_tp_methods, iterator_methods},
    {0, nullptr},
};

}  // namespace

PyType_Spec iterator_spec = {"UltraDict._core.iterator", sizeof(IteratorObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, iterator_slots};

PyObject* make_iterator(PyObject* dict, Part part, Cursor::Direction direction) {
  Session* session = open_session(dict);
  return session == nullptr ? nullptr : new_iterator(dict, session, part, new (std::nothrow) Walk(session, direction));
}

PyObject* dict_iter(PyObject* self) { return make_iterator(self, Part::keys, Cursor::Direction::forward); }

PyObject* dict_reversed(PyObject* self, PyObject*) {
  return make_iterator(self, Part::keys, Cursor::Direction::backward);
}

}  // namespace ultradict::python
