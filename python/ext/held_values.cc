// SPDX-License-Identifier: Apache-2.0
#include "held_values.h"

#include <algorithm>

#include "lookup.h"

namespace ultradict::python {

namespace {

// The number of the change that gave the key its value; 0: it has none.
bool sequence_of(Session* session, PyObject* key, std::uint64_t* sequence) {
  Probe probe(session);
  if (!probe) return false;
  probe.key = key;
  const Answer found = find_stored(&probe);
  *sequence = found == Answer::yes ? probe.seen.sequence : 0;
  return found != Answer::error;
}

}  // namespace

bool HeldValues::keep(Session* session, PyObject* key, PyObject* value) {
  if (values_ && PyDict_GET_SIZE(values_.get()) >= sweep_count_ && !sweep(session)) return false;
  std::uint64_t sequence = 0;
  if (!sequence_of(session, key, &sequence)) return false;
  let_go(session, key);
  if (!ensure_dict(&values_)) return false;
  const Ref values = values_.copy();
  return add(values.get(), key, sequence, value);
}

bool HeldValues::add(PyObject* values, PyObject* key, std::uint64_t sequence, PyObject* value) {
  const Ref held = Ref::steal(Py_BuildValue("(KOO)", static_cast<unsigned long long>(sequence), value, key));
  return held && PyDict_SetItem(values, key, held.get()) == 0;
}

void HeldValues::let_go(Session* session, PyObject* key) {
  if (!values_) return;
  const RaisedKept kept;
  const Ref values = values_.copy();
  PyObject* held = PyDict_GetItemWithError(values.get(), key);
  if (held != nullptr) {
    session->family->budget.doom(Ref::share(held).release());
    (void)PyDict_DelItem(values.get(), key);
  }
  forgive_raised();
}

// Lets go of what is no longer the value of its key. What is kept or let go meanwhile, by a key's hash or == or by
// another thread, is none of its business.
bool HeldValues::sweep(Session* session) {
  const Ref before = Ref::steal(PyDict_Values(values_.get()));
  if (!before) return false;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(before.get()); ++i) {
    PyObject* const held = PyList_GET_ITEM(before.get(), i);
    std::uint64_t sequence = 0;
    if (!sequence_of(session, PyTuple_GET_ITEM(held, 2), &sequence)) return false;
    if (sequence == PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(held, 0))) continue;
    if (!drop(session, held)) return false;
  }
  sweep_count_ = std::max(sweep_count_min, values_ ? 2 * PyDict_GET_SIZE(values_.get()) : 0);
  return true;
}

bool HeldValues::drop(Session* session, PyObject* held) {
  const Ref values = values_.copy();
  if (!values) return true;
  PyObject* const key = PyTuple_GET_ITEM(held, 2);
  Ref gone = Ref::steal(PyObject_CallMethod(values.get(), "pop", "OO", key, Py_None));
  if (!gone) return false;
  if (gone.get() != held && gone.get() != Py_None && PyDict_SetDefault(values.get(), key, gone.get()) == nullptr) {
    return false;
  }
  session->family->budget.doom(gone.release());
  return true;
}

void HeldValues::clear(Session* session) noexcept {
  session->family->budget.doom(values_.release());
  sweep_count_ = sweep_count_min;
}

int HeldValues::traverse(visitproc visit, void* arg) const {
  Py_VISIT(values_.get());
  return 0;
}

}  // namespace ultradict::python
