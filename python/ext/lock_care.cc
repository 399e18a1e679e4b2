// SPDX-License-Identifier: Apache-2.0
// The lock seen from outside: its parameters, diagnosis, and the calls by which older programs free a lock whose holder
// died. The engine replaces a dead holder by itself; none of these ever robs a living one.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "lock_type.h"

namespace ultradict::python {

const char* const call_words[] = {"block", "timeout", "sleep_time", "steal_after_timeout", "steal", nullptr};

namespace {

// Long enough for a waiter to ask whether the holder lives.
constexpr double ask_holder_s = 0.06;

bool read_seconds(const char* word, PyObject* value, double* seconds) {
  *seconds = PyFloat_AsDouble(value);
  if (*seconds == -1.0 && PyErr_Occurred() != nullptr) {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return false;
    return PyErr_Format(PyExc_TypeError, "%s must be a number of seconds, not %R", word, value), false;
  }
  if (!std::isnan(*seconds)) return true;
  return PyErr_Format(PyExc_ValueError, "%s must be a number of seconds, not nan", word), false;
}

// timeout=None waits for ever, a negative one not at all.
bool read_timeout(PyObject* value, LockTerms* terms) {
  if (value == Py_None) return terms->timeout = -1, true;
  if (!read_seconds("timeout", value, &terms->timeout)) return false;
  if (!(terms->timeout > 0)) terms->timeout = 0;
  return true;
}

bool read_parameter(const char* word, PyObject* value, LockTerms* terms) {
  if (std::strcmp(word, "timeout") == 0) return read_timeout(value, terms);
  if (std::strcmp(word, "sleep_time") == 0) {
    double seconds = 0;
    if (!read_seconds("sleep_time", value, &seconds)) return false;
    if (!(seconds >= 0)) return PyErr_SetString(PyExc_ValueError, "sleep_time must not be negative"), false;
    terms->spin = seconds == 0;
    return true;
  }
  if (std::strcmp(word, "block") == 0 && PyFloat_Check(value) != 0) {
    return PyErr_Format(PyExc_TypeError, "block must be True or False, not %R: say timeout=%R", value, value), false;
  }
  const int truth = PyObject_IsTrue(value);
  if (truth < 0) return false;
  if (std::strcmp(word, "block") == 0) terms->block = truth != 0;
  return true;  // stealing needs no permission: the dead are always replaced, the living never
}

const char* find_word(const char* const* words, PyObject* wanted) {
  for (; *words != nullptr; ++words) {
    if (PyUnicode_CompareWithASCIIString(wanted, *words) == 0) return *words;
  }
  PyErr_Format(PyExc_TypeError, "the lock has no parameter %R", wanted);
  return nullptr;
}

struct StealParameters {
  int from_pid = 0;
  int release = 0;

  bool parse(PyObject* arguments, PyObject* keywords) {
    static const char* words[] = {"from_pid", "release", nullptr};
    return PyArg_ParseTupleAndKeywords(arguments, keywords, "|ip:steal", const_cast<char**>(words), &from_pid,
                                       &release) != 0;
  }
};

// Takes the lock from a holder that died. busy: nobody held it, another process than `from_pid` does, or the holder
// lives.
Taken take_from_dead(Session* session, const StealParameters& given) {
  const Owner owner = session->engine.owner();
  if (owner.number == 0 || session->engine.has_lock()) return Taken::busy;
  if (given.from_pid != 0 && given.from_pid != owner.pid) return Taken::busy;
  double seconds_passed = 0;
  const Taken taken = take_lock(session, LockTerms{true, ask_holder_s, false}, &seconds_passed);
  if (taken == Taken::yes) ++session->locks;
  if (taken == Taken::yes && given.release != 0) (void)session->unlock();
  return taken == Taken::timed_out ? Taken::busy : taken;
}

PyObject* steal(PyObject* self, PyObject* arguments, PyObject* keywords, bool raise) {
  Session* session = session_of_lock(self);
  StealParameters given;
  if (session == nullptr || !given.parse(arguments, keywords)) return nullptr;
  const Use use(session);
  const Taken taken = take_from_dead(session, given);
  if (taken == Taken::error) return nullptr;
  if (taken == Taken::yes) Py_RETURN_TRUE;
  const Owner owner = session->engine.owner();
  const bool is_meant = owner.number != 0 && (given.from_pid == 0 || given.from_pid == owner.pid);
  if (raise && is_meant) return raise_lock_busy(session, false, 0);
  Py_RETURN_FALSE;  // it is free, or somebody else was faster
}

}  // namespace

bool LockParameters::parse(const char* const* words, PyObject* arguments, PyObject* keywords) {
  const Py_ssize_t count = PyTuple_GET_SIZE(arguments);
  for (Py_ssize_t number = 0; number < count; ++number) {
    if (words[number] == nullptr) return PyErr_SetString(PyExc_TypeError, "too many arguments for the lock"), false;
    if (!read_parameter(words[number], PyTuple_GET_ITEM(arguments, number), &terms)) return false;
  }
  PyObject *word = nullptr, *value = nullptr;
  Py_ssize_t position = 0;
  while (keywords != nullptr && PyDict_Next(keywords, &position, &word, &value) != 0) {
    const char* known = find_word(words, word);
    if (known == nullptr) return false;
    if (std::find(words, words + count, known) != words + count)
      return PyErr_Format(PyExc_TypeError, "the lock got two values for %s", known), false;
    if (!read_parameter(known, value, &terms)) return false;
  }
  return true;
}

PyObject* lock_steal(PyObject* self, PyObject* arguments, PyObject* keywords) {
  return steal(self, arguments, keywords, false);
}

PyObject* lock_steal_from_dead(PyObject* self, PyObject* arguments, PyObject* keywords) {
  return steal(self, arguments, keywords, true);
}

PyObject* lock_reset(PyObject* self, PyObject*) {
  Session* session = session_of_lock(self);
  if (session == nullptr) return nullptr;
  const Use use(session);
  while (session->unlock()) {
  }
  if (session->engine.owner().number == 0) Py_RETURN_NONE;
  double seconds_passed = 0;
  const Taken taken = take_lock(session, LockTerms{true, ask_holder_s, false}, &seconds_passed);
  if (taken == Taken::error) return nullptr;
  if (taken != Taken::yes) return raise_lock_busy(session, false, 0);
  (void)session->engine.unlock();
  Py_RETURN_NONE;
}

PyObject* lock_status(PyObject* self, PyObject*) {
  Session* session = session_of_lock(self);
  if (session == nullptr) return nullptr;
  const Owner owner = session->engine.owner();
  const Ref own = Ref::steal(lock_get_pid(self, nullptr));
  if (!own) return nullptr;
  return Py_BuildValue("{s:O,s:i,s:O,s:i}", "has_lock", session->engine.has_lock() ? Py_True : Py_False, "lock_remote",
                       owner.number != 0 ? 1 : 0, "pid", own.get(), "pid_remote", static_cast<int>(owner.pid));
}

PyObject* lock_print_status(PyObject* self, PyObject* arguments, PyObject* keywords) {
  static const char* words[] = {"status", nullptr};
  PyObject* status = Py_None;
  if (PyArg_ParseTupleAndKeywords(arguments, keywords, "|O:print_status", const_cast<char**>(words), &status) == 0) {
    return nullptr;
  }
  const int given = PyObject_IsTrue(status);
  if (given < 0) return nullptr;
  const Ref shown = given != 0 ? Ref::share(status) : Ref::steal(lock_status(self, nullptr));
  const Ref pprint = Ref::steal(shown ? PyImport_ImportModule("pprint") : nullptr);
  return pprint ? PyObject_CallMethod(pprint.get(), "pprint", "(O)", shown.get()) : nullptr;
}

PyObject* lock_get_pid(PyObject*, void*) {
  const Ref os = Ref::steal(PyImport_ImportModule("os"));
  return os ? PyObject_CallMethod(os.get(), "getpid", nullptr) : nullptr;
}

PyObject* lock_get_remote_pid(PyObject* self, PyObject*) {
  Session* session = session_of_lock(self);
  return session == nullptr ? nullptr : PyLong_FromLong(session->engine.owner().pid);
}

PyObject* lock_get_remote_lock(PyObject* self, PyObject*) {
  Session* session = session_of_lock(self);
  return session == nullptr ? nullptr : PyLong_FromLong(session->engine.owner().number != 0 ? 1 : 0);
}

}  // namespace ultradict::python
