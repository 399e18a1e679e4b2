// SPDX-License-Identifier: Apache-2.0
// ExoticKeys: two Python dicts and a cursor each. Decoding a key may run Python code that comes back here: every step
// leaves the mirror in order before it decodes.
#include "exotic_keys.h"

#include "errors.h"
#include "session.h"

namespace ultradict::python {

namespace {

bool ensure_dict(Ref* dict) {
  if (!*dict) *dict = Ref::steal(PyDict_New());
  return static_cast<bool>(*dict);
}

Bytes bytes_of(PyObject* object) {
  return {PyBytes_AS_STRING(object), static_cast<std::size_t>(PyBytes_GET_SIZE(object))};
}

// Whether the exception being raised only says that a key cannot be loaded or compared here; it is cleared then. One
// that says that there was no room to try is the caller's.
bool unloadable() {
  if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)) return false;
  if (PyErr_ExceptionMatches(PyExc_RecursionError)) return false;
  PyErr_Clear();
  return true;
}

// Also replaces an equal key, of which only the mirror knows that it is there: what equals that one need not equal
// this.
bool set_anew(PyObject* dict, PyObject* key, PyObject* value) {
  const int known = PyDict_Contains(dict, key);
  if (known < 0 || (known > 0 && PyDict_DelItem(dict, key) < 0)) return false;
  return PyDict_SetItem(dict, key, value) == 0;
}

// Who cannot load a key has nothing but its bytes to tell it by; in a pickle the names of its class are to be read.
PyObject* named_key(const Session* session, Bytes canonical, Bytes face) {
  PyObject* key = decode_key(session->module->convert, canonical, face, session->serializer.allow_pickle);
  return named(session, key, [&] {
    constexpr std::size_t shown_max = 200;
    const Ref bytes = bytes_object((face.empty() ? canonical : face).substr(0, shown_max));
    return Ref::steal(bytes ? PyUnicode_FromFormat("the key that is stored as %R", bytes.get()) : nullptr);
  });
}

}  // namespace

// Whether a comparison was with a key that is gone, perhaps, or with one that was just learnt: dict makes neither.
bool ExoticKeys::compares_too_much(const Session* session, const Mirror& mirror) {
  if (!mirror.canonical_of) return true;  // it failed to learn
  PyObject *key = nullptr, *canonical = nullptr;
  for (Py_ssize_t at = 0; PyDict_Next(mirror.canonical_of.get(), &at, &key, &canonical) != 0;) {
    if (session->engine.contains(bytes_of(canonical)).code() == Code::not_found) return true;
  }
  return false;
}

int ExoticKeys::find(Session* session, PyObject* key, bool among_all, Scratch* canonical) {
  if (!among_all && session->engine.exotic_count() == 0) return 0;
  Mirror& mirror = among_all ? all_ : exotic_;
  all_.plain_too = true;
  Ref found = look_up(session, &mirror, key);
  if (!found && PyErr_Occurred() != nullptr && compares_too_much(session, mirror) && unloadable()) {
    mirror.reset();
    found = look_up(session, &mirror, key);
  }
  if (!found && PyErr_Occurred() == nullptr && session->serializer.allow_pickle && mirror.is_to_try_again(key)) {
    mirror.reset();
    found = look_up(session, &mirror, key);
  }
  if (!found) return PyErr_Occurred() != nullptr ? -1 : 0;
  canonical->clear();
  return canonical->append(bytes_of(found.get())) ? 1 : -1;
}

bool ExoticKeys::Mirror::is_to_try_again(PyObject* key) try {
  constexpr std::size_t asked_max = 1000;
  ++misses;
  if (unloaded == 0 || !canonical_of) return false;
  if (asked.size() == asked_max) asked.clear();
  return asked.insert(Py_TYPE(key)).second || misses > static_cast<std::uint64_t>(PyDict_GET_SIZE(canonical_of.get()));
} catch (const std::bad_alloc&) {
  return false;
}

// Null without an exception: it is not there.
Ref ExoticKeys::look_up(Session* session, Mirror* mirror, PyObject* key) {
  if (!refresh(session, mirror)) return Ref();
  const Ref keys = mirror->canonical_of.copy();
  return Ref::share(PyDict_GetItemWithError(keys.get(), key));
}

bool ExoticKeys::refresh(Session* session, Mirror* mirror) {
  if (!purge(session)) return false;  // of what this process stored, too
  Lease<Buffer> buffer(session->module->spare_buffer);
  if (!buffer) return false;
  for (;;) {
    if (!ensure_dict(&mirror->canonical_of)) return false;
    if (!mirror->cursor) mirror->cursor.emplace(session->engine, Cursor::Direction::following);
    Sighting seen;
    Record record;
    const Status status = mirror->cursor->next(&seen, buffer.get(), &record);
    if (status.code() == Code::not_found) return true;
    if (!status) return raise_status(session, status), false;
    if (!record.exotic && !mirror->plain_too) continue;
    // The cursor has passed the key: the mirror begins anew, or it would not know of it for ever.
    if (!learn(session, mirror, record)) return begin_anew(mirror), false;
  }
}

bool ExoticKeys::learn(Session* session, Mirror* mirror, const Record& record) {
  const Ref canonical = bytes_object(record.canonical);
  if (!canonical) return false;
  Ref key = Ref::steal(object_of(session, record.canonical, record.face, record.exotic));
  if (!key && !record.exotic && unloadable()) {  // one that is equal does as well
    key = Ref::steal(decode_key(session->module->convert, record.canonical, {}, false));
  }
  if (!key || PyObject_Hash(key.get()) == -1) {
    ++mirror->unloaded;
    return unloadable();
  }
  if (!ensure_dict(&mirror->canonical_of)) return false;
  const Ref keys = mirror->canonical_of.copy();
  return set_anew(keys.get(), key.get(), canonical.get());
}

// Objects of keys long deleted go when they are the majority, so that each costs its share; the mirrors are then built
// anew, also where one is being brought up to date.
bool ExoticKeys::purge(Session* session) {
  const auto slack = std::uint64_t{64};
  if (all_.canonical_of) {
    const auto size = static_cast<std::uint64_t>(PyDict_GET_SIZE(all_.canonical_of.get()));
    if (size > 2 * session->engine.count() + slack) all_.reset();
  }
  if (!objects_) return true;
  const auto size = static_cast<std::uint64_t>(PyDict_GET_SIZE(objects_.get()));
  if (size <= 2 * session->engine.exotic_count() + slack) return true;
  const Ref kept = Ref::steal(PyDict_New());
  if (!kept) return false;
  PyObject *canonical = nullptr, *key = nullptr;
  for (Py_ssize_t position = 0; PyDict_Next(objects_.get(), &position, &canonical, &key) != 0;) {
    if (!session->engine.contains(bytes_of(canonical))) continue;
    if (PyDict_SetItem(kept.get(), canonical, key) < 0) return false;
  }
  const Ref old = std::move(objects_);
  objects_ = kept.copy();
  exotic_.reset();
  all_.reset();
  return true;
}

// What goes with it may run Python code.
void ExoticKeys::begin_anew(Mirror* mirror) {
  const RaisedKept kept;
  mirror->reset();
}

bool ExoticKeys::add(PyObject* key, Bytes canonical) {
  const Ref stored = bytes_object(canonical);
  if (!stored || !ensure_dict(&objects_) || PyDict_SetItem(objects_.get(), stored.get(), key) != 0) return false;
  if (!ensure_dict(&exotic_.canonical_of)) return false;
  const Ref keys = exotic_.canonical_of.copy();
  if (set_anew(keys.get(), key, stored.get())) return true;
  begin_anew(&exotic_);
  return false;
}

void ExoticKeys::take_back(Bytes canonical) {
  const RaisedKept kept;
  const Ref stored = bytes_object(canonical);
  const Ref objects = objects_.copy();
  if (!stored || !objects || PyDict_DelItem(objects.get(), stored.get()) < 0) forgive_raised();
  begin_anew();
}

void ExoticKeys::forget(Session* session, PyObject* key) {
  for (Mirror* mirror : {&exotic_, &all_}) {
    if (!mirror->canonical_of) continue;
    const Ref keys = mirror->canonical_of.copy();
    const Ref gone = Ref::steal(PyObject_CallMethod(keys.get(), "pop", "OO", key, Py_None));
    if (!gone) forgive_raised();
    if (!gone || gone.get() == Py_None) continue;
    if (session->engine.contains(bytes_of(gone.get()))) {
      mirror->reset();
    } else if (const Ref objects = objects_.copy(); objects && PyDict_DelItem(objects.get(), gone.get()) < 0) {
      forgive_raised();
    }
  }
}

void ExoticKeys::begin_anew() {
  begin_anew(&exotic_);
  begin_anew(&all_);
}

PyObject* ExoticKeys::object_of(Session* session, Bytes canonical, Bytes face, bool exotic) {
  if (!exotic) return named_key(session, canonical, face);
  const Ref stored = bytes_object(canonical);
  if (!stored || !ensure_dict(&objects_)) return nullptr;
  PyObject* known = PyDict_GetItemWithError(objects_.get(), stored.get());
  if (known != nullptr || PyErr_Occurred() != nullptr) return Ref::share(known).release();
  Ref key = Ref::steal(named_key(session, canonical, face));
  if (!key || !ensure_dict(&objects_)) return nullptr;
  // Whoever decoded it first while this call did the same has made the object that stands for it.
  Ref object = Ref::share(PyDict_SetDefault(objects_.get(), stored.get(), key.get()));
  return object && purge(session) ? object.release() : nullptr;
}

Ref ExoticKeys::take_objects() {
  if (objects_ && PyDict_GET_SIZE(objects_.get()) == 0) objects_ = Ref();
  return std::move(objects_);
}

void ExoticKeys::clear() {
  exotic_.reset();
  all_.reset();
  const Ref old = std::move(objects_);
}

int ExoticKeys::traverse(visitproc visit, void* arg) {
  Py_VISIT(exotic_.canonical_of.get());
  Py_VISIT(all_.canonical_of.get());
  Py_VISIT(objects_.get());
  return 0;
}

}  // namespace ultradict::python
