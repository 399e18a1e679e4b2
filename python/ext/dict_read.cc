// SPDX-License-Identifier: Apache-2.0
// Reads. The hit is all in this file and in Cache::find_fast: a probe, two loads, one more reference.
#include "dict_read.h"

#include "convert_write.h"
#include "lookup.h"

namespace ultradict::python {

namespace {

// The value of a hit, borrowed; null: it takes more than a hit to tell. The caller counts it.
inline PyObject* hit(Session* session, Py_hash_t hash, PyObject* key) noexcept {
  Cache& cache = session->cache;
  Cache::Item* item = cache.find_fast(hash, key);
  if (item == nullptr || item->value == nullptr || !cache.current(*item)) return nullptr;
  Cache::touch(*item);
  return session->cached_value(*item);
}

[[gnu::noinline]] PyObject* tidied(Session* session, PyObject* value) { return session->tidy(), value; }

inline PyObject* given(Session* session, PyObject* value) {
  Py_INCREF(value);
  return session->cache.count_hit() ? tidied(session, value) : value;
}

// Membership of a key that the cache does not know. The common case needs no record: a plain key and no exotic ones.
[[gnu::noinline]] int contains_slowly(Session* session, PyObject* key) {
  const Use use(session);
  Probe probe(session);
  if (!probe) return -1;
  probe.key = key;
  return static_cast<int>(find_stored(&probe));
}

// error: it takes contains_slowly to tell, or an exception was raised.
Answer contains_plain(Session* session, PyObject* key) {
  const bool is_text = PyUnicode_CheckExact(key);
  if (!(is_text || PyLong_CheckExact(key)) || session->engine.exotic_count() != 0) return Answer::error;
  Scratch canonical;
  if (!(is_text ? write_text(key, &canonical) : write_integer(key, &canonical))) return PyErr_Clear(), Answer::error;
  const Status status = session->engine.contains(canonical.bytes());
  session->count_glance();
  if (status) return Answer::yes;
  if (status.code() == Code::not_found) return Answer::no;
  if (status.code() == Code::lock_timeout) raise_status(session, status);  // to ask again would be to wait again
  return Answer::error;
}

// Of a session that may be closed; null without an exception: there is no such key.
[[gnu::noinline]] PyObject* read_slowly(PyObject* self, PyObject* key, Py_hash_t hash) {
  Session* session = open_session(self);
  return session == nullptr ? nullptr : read_value(session, key, hash);
}

[[gnu::noinline]] PyObject* missing(PyObject* self, PyObject* key) {
  PyTypeObject* type = Py_TYPE(self);
  const Ref name = Ref::steal(PyUnicode_InternFromString("__missing__"));
  if (!name) return nullptr;
  const Ref hook = Ref::share(_PyType_Lookup(type, name.get()));  // as of every special method: of the class alone
  if (!hook) return raise_key_error(key);
  const descrgetfunc bind = Py_TYPE(hook.get())->tp_descr_get;
  const Ref bound =
      bind == nullptr ? hook.copy() : Ref::steal(bind(hook.get(), self, reinterpret_cast<PyObject*>(type)));
  return bound ? PyObject_CallFunctionObjArgs(bound.get(), key, nullptr) : nullptr;
}

}  // namespace

PyObject* dict_subscript(PyObject* self, PyObject* key) {
  const Py_hash_t hash = hash_of_key(key);
  if (hash == -1) return raise_unhashable(key);
  if (Session* session = dict_object(self)->session; session != nullptr) {
    PyObject* value = hit(session, hash, key);
    if (value != nullptr) return given(session, value);
  }
  PyObject* value = read_slowly(self, key, hash);
  if (value != nullptr || PyErr_Occurred() != nullptr) return value;
  return missing(self, key);
}

int dict_contains(PyObject* self, PyObject* key) {
  const Py_hash_t hash = hash_of_key(key);
  if (hash == -1) return raise_unhashable(key), -1;
  Session* session = dict_object(self)->session;
  if (session != nullptr && hit(session, hash, key) != nullptr) {
    if (session->cache.count_hit()) session->tidy();
    return 1;
  }
  session = open_session(self);
  if (session == nullptr) return -1;
  const Answer found = contains_plain(session, key);
  if (found != Answer::error) return static_cast<int>(found);
  return PyErr_Occurred() != nullptr ? -1 : contains_slowly(session, key);
}

Py_ssize_t dict_length(PyObject* self) {
  Session* session = glanced_session(self);
  if (session == nullptr) return -1;
  const std::uint64_t count = session->engine.count();
  if (count == 0 && session->is_nested) {
    if (const Status status = session->engine.alive(); !status) return raise_status(session, status), -1;
  }
  return static_cast<Py_ssize_t>(count);
}

PyObject* dict_get(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  if (!check_count("get", count, 1, 2)) return nullptr;
  PyObject* key = arguments[0];
  const Py_hash_t hash = hash_of_key(key);
  if (hash == -1) return raise_unhashable(key);
  Session* session = open_session(self);
  if (session == nullptr) return nullptr;
  PyObject* value = hit(session, hash, key);
  if (value != nullptr) return given(session, value);
  const Answer found = contains_plain(session, key);
  if (found == Answer::error && PyErr_Occurred() != nullptr) return nullptr;
  if (found != Answer::no) value = read_value(session, key, hash);
  if (value != nullptr || PyErr_Occurred() != nullptr) return value;
  value = count == 2 ? arguments[1] : Py_None;
  return Py_INCREF(value), value;
}

PyObject* dict_has_key(PyObject* self, PyObject* key) {
  const int found = dict_contains(self, key);
  return found < 0 ? nullptr : PyBool_FromLong(found);
}

}  // namespace ultradict::python
