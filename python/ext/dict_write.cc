// SPDX-License-Identifier: Apache-2.0
// Writes of one key. What is compound (setdefault, pop, popitem) holds the shared lock from its first look to its last
// store.
#include "dict_write.h"

#include "dict_read.h"
#include "locking.h"
#include "nested.h"
#include "store_all.h"
#include "store_one.h"

namespace ultradict::python {

namespace {

// A value in which handles were pickled stays referenced.
inline bool held_after(Session* session, PyObject* key, PyObject* value, std::uint64_t handles_before) {
  if (session->module->handles_pickled != handles_before) [[unlikely]]
    return session->held.keep(session, key, value);
  if (!session->held.empty()) [[unlikely]]
    session->held.let_go(session, key);
  return true;
}

// Together with whatever nested dicts the value becomes.
bool store_nested(Session* session, PyObject* key, PyObject* value) {
  const Ref item = Ref::steal(PyDict_New());
  return item && PyDict_SetItem(item.get(), key, value) == 0 && store_all(session, item.get());
}

int assign(Session* session, PyObject* key, Py_hash_t hash, PyObject* value) {
  const Use use(session);
  if (nested_kind(session, value) != NestedKind::none) [[unlikely]]
    return store_nested(session, key, value) ? 0 : -1;
  const std::uint64_t handles_before = session->module->handles_pickled;
  Encoded encoded;
  ReadyValue ready;
  if (!encode_value(value, session->serializer, &encoded)) return -1;
  if (session->closed) return raise_closed(session->module, session->name), -1;
  if (!make_ready(session, encoded, &ready) || !store_value(session, key, hash, value, ready)) return -1;
  return held_after(session, key, value, handles_before) ? 0 : -1;
}

int erase(Session* session, PyObject* key, Py_hash_t hash) {
  const Use use(session);
  const Answer found = erase_key(session, key, hash);
  if (found == Answer::no) raise_key_error(key);
  session->held.let_go(session, key);
  return found == Answer::yes ? 0 : -1;
}

// What any process reads now for a key just written: the writer's own object only where it is equal to that.
PyObject* written_value(Session* session, PyObject* key, Py_hash_t hash, PyObject* value) {
  if (cacheable_as_is(value, session->serializer)) return Ref::share(value).release();
  PyObject* read = read_value(session, key, hash);
  if (read == nullptr && PyErr_Occurred() == nullptr) return Ref::share(value).release();
  return read;
}

PyObject* held_and_written_value(Session* session, PyObject* key, Py_hash_t hash, PyObject* value,
                                 std::uint64_t handles_before) {
  return held_after(session, key, value, handles_before) ? written_value(session, key, hash, value) : nullptr;
}

// An insertion whose value cannot be given to the caller does not happen. The shared lock is held.
PyObject* take_back(Session* session, PyObject* key, Py_hash_t hash, const Sighting& inserted) {
  const RaisedKept kept;
  const bool erased =
      inserted.born != 0 ? erase_seen(session, inserted) : erase_key(session, key, hash) != Answer::error;
  if (!erased) PyErr_Clear();
  session->held.let_go(session, key);
  return nullptr;
}

// Of a key that was not there just now.
PyObject* setdefault(Session* session, PyObject* key, Py_hash_t hash, PyObject* value) {
  const Use use(session);
  const std::uint64_t handles_before = session->module->handles_pickled;
  Encoded encoded;
  ReadyValue ready;
  const bool is_nested = nested_kind(session, value) != NestedKind::none;
  if (!is_nested && !encode_value(value, session->serializer, &encoded)) return nullptr;
  if (session->closed) return raise_closed(session->module, session->name);
  if (!is_nested && !make_ready(session, encoded, &ready)) return nullptr;
  LockForWrite lock(session);
  if (!lock.acquire()) return nullptr;
  PyObject* present = read_value(session, key, hash);
  if (present != nullptr || PyErr_Occurred() != nullptr) return present;
  PyObject* stored = nullptr;
  Sighting inserted;
  if (is_nested) {
    if (!store_nested(session, key, value)) return nullptr;
    stored = guarded<read_value>(session, key, hash);
    if (stored == nullptr && PyErr_Occurred() == nullptr)
      PyErr_SetString(PyExc_RuntimeError, "setdefault(): comparing keys has deleted the key that was just stored");
  } else {
    if (!store_value(session, key, hash, value, ready, &inserted)) return nullptr;
    stored = guarded<held_and_written_value>(session, key, hash, value, handles_before);
  }
  return stored == nullptr && PyErr_Occurred() != nullptr ? take_back(session, key, hash, inserted) : stored;
}

// Null without an exception: no such key.
PyObject* pop(Session* session, PyObject* key, Py_hash_t hash) {
  const Use use(session);
  LockForWrite lock(session);
  if (!lock.acquire()) return nullptr;
  Ref value = Ref::steal(read_value(session, key, hash));
  if (!value || !(value = parting_value(session, std::move(value)))) return nullptr;
  const Answer found = erase_key(session, key, hash);
  session->held.let_go(session, key);
  return found == Answer::yes ? value.release() : nullptr;
}

constexpr int attempts_max = 64;  // of popitem

// The key and value of a record read under the lock. Null with an exception, or without one where loading it has run
// code that changed it.
Ref item_of(Session* session, const Sighting& seen, const Record& record) {
  const Ref key = Ref::steal(session->exotic.object_of(session, record.canonical, record.face, record.exotic));
  if (!key) return Ref();
  const std::uint32_t number = session->cache.find_entry(seen);
  const bool cached = number != Cache::none && session->cached_value(session->cache.item(number)) != nullptr &&
                      session->cache.current(session->cache.item(number));
  Ref value = cached ? Ref::share(session->cache.item(number).value)
                     : Ref::steal(value_of_record(session, nullptr, 0, seen, record));
  if (!value && PyErr_Occurred() == nullptr && seen.current()) raise_unfetched(session);
  if (value) value = parting_value(session, std::move(value));
  return value ? Ref::steal(PyTuple_Pack(2, key.get(), value.get())) : Ref();
}

// As item_of.
Ref last_item(Session* session, Buffer* buffer, Sighting* seen) {
  Cursor cursor(session->engine, Cursor::Direction::backward);
  Record record;
  const Status status = cursor.next(seen, buffer, &record);
  if (status) return item_of(session, *seen, record);
  if (status.code() == Code::not_found) {
    PyErr_SetString(PyExc_KeyError, "popitem(): dictionary is empty");
  } else {
    raise_status(session, status);
  }
  return Ref();
}

bool was_deleted(Session* session) {
  return PyErr_Occurred() != nullptr && PyErr_ExceptionMatches(session->module->errors.dict_deleted.get()) != 0;
}

}  // namespace

int dict_assign(PyObject* self, PyObject* key, PyObject* value) {
  const Py_hash_t hash = hash_of_key(key);
  if (hash == -1) return raise_unhashable(key), -1;
  Session* session = open_session(self);
  if (session == nullptr) return -1;
  if (value == nullptr) return erase(session, key, hash);
  return store_short(session, key, hash, value) ? 0 : assign(session, key, hash, value);
}

PyObject* dict_setdefault(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  if (!check_count("setdefault", count, 1, 2)) return nullptr;
  const Py_hash_t hash = hash_of_key(arguments[0]);
  if (hash == -1) return raise_unhashable(arguments[0]);
  Session* session = open_session(self);
  PyObject* present = session == nullptr ? nullptr : read_value(session, arguments[0], hash);
  if (present != nullptr || PyErr_Occurred() != nullptr) return present;
  session = open_session(self);  // to look for it may have run Python code
  return session == nullptr ? nullptr : setdefault(session, arguments[0], hash, count == 2 ? arguments[1] : Py_None);
}

PyObject* dict_pop(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  if (!check_count("pop", count, 1, 2)) return nullptr;
  Session* session = open_session(self);
  if (session == nullptr) return nullptr;
  const bool is_empty = session->engine.count() == 0;
  const Py_hash_t hash = hash_of_key(arguments[0]);
  // As dict does: of an empty one not even an unhashable key is complained about.
  if (hash == -1 && !(is_empty && PyErr_ExceptionMatches(PyExc_Exception))) return raise_unhashable(arguments[0]);
  PyErr_Clear();
  session = open_session(self);  // to hash it may have run Python code
  if (session == nullptr) return nullptr;
  PyObject* value = hash == -1 ? nullptr : pop(session, arguments[0], hash);
  if (value != nullptr || PyErr_Occurred() != nullptr) return value;
  return count == 2 ? Ref::share(arguments[1]).release() : raise_key_error(arguments[0]);
}

PyObject* dict_popitem(PyObject* self, PyObject*) {
  Session* session = open_session(self);
  if (session == nullptr) return nullptr;
  const Use use(session);
  const Lease<Buffer> buffer(session->module->spare_buffer);
  LockForWrite lock(session);
  if (!buffer || !lock.acquire()) return nullptr;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    Sighting seen;
    Ref item = last_item(session, buffer.get(), &seen);
    // Loading the value may have run code that changed it, or the log, or deleted the nested dict that it is; or that
    // forked, and this child has no lock: there another process may do so.
    const auto is_gone = [&] { return seen.ref_word != nullptr && !seen.current(); };
    if (!item && is_gone() && was_deleted(session)) PyErr_Clear();
    if (PyErr_Occurred() != nullptr || !lock.regain()) return nullptr;
    if (!item || is_gone()) continue;
    if (!erase_seen(session, seen)) return nullptr;
    session->exotic.forget(session, PyTuple_GET_ITEM(item.get(), 0));
    session->held.let_go(session, PyTuple_GET_ITEM(item.get(), 0));
    return item.release();
  }
  PyErr_SetString(PyExc_RuntimeError, "popitem(): loading the last value changes the last item each time");
  return nullptr;
}

}  // namespace ultradict::python
