// SPDX-License-Identifier: Apache-2.0
// ExoticKeys: two Python dicts and a cursor each. Decoding a key may run Python code that comes back here: every step
// leaves the mirror in order before it decodes. What its cursor has passed is listed until the dict has it, and who
// comes meanwhile learns it, too.
#include "exotic_keys.h"

#include <algorithm>

#include "errors.h"
#include "session.h"

namespace ultradict::python {

namespace {

Bytes bytes_of(PyObject* object) {
  return {PyBytes_AS_STRING(object), static_cast<std::size_t>(PyBytes_GET_SIZE(object))};
}

bool is_gone(Session* session, PyObject* canonical) {
  return session->engine.contains(bytes_of(canonical)).code() == Code::not_found;
}

// Whether the exception being raised only says that a key cannot be loaded or compared here; it is cleared then. One
// that says that there was no room to try is the caller's.
bool unloadable() {
  if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)) return false;
  if (PyErr_ExceptionMatches(PyExc_RecursionError)) return false;
  PyErr_Clear();
  return true;
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

// A thread that learns a passed key, from before it is loaded until the mirror knows it.
class ExoticKeys::Learning {
 public:
  Learning(Session* session, Mirror* mirror, std::uint64_t born)
      : session_(session), mirror_(mirror), born_(born), thread_(PyThreadState_GetID(PyThreadState_Get())) {
    mirror->passed.at(born).learners.push_back(thread_);
    entry_ = session->module->under_way.enter(session, begin_anew_without_thread);
  }
  Learning(const Learning&) = delete;
  Learning& operator=(const Learning&) = delete;
  ~Learning() {
    if (is_unwound()) return;
    session_->module->under_way.leave(entry_);
    const auto found = mirror_->passed.find(born_);
    if (found == mirror_->passed.end()) return;
    std::vector<std::uint64_t>& learners = found->second.learners;
    const auto mine = std::find(learners.begin(), learners.end(), thread_);
    if (mine != learners.end()) learners.erase(mine);
    if (found->second.is_learnt && learners.empty()) mirror_->passed.erase(found);
  }

 private:
  // A child of fork: nobody will end it there.
  static void begin_anew_without_thread(Session* session) noexcept { session->exotic.begin_anew(); }

  Session* session_;
  Mirror* mirror_;
  std::uint64_t born_;
  std::uint64_t thread_;
  UnderWay::Entry* entry_;
};

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

// Null without an exception: it is not there. Comparing may let others replace the key, which takes it out for a
// moment.
Ref ExoticKeys::look_up(Session* session, Mirror* mirror, PyObject* key) {
  constexpr int tries_max = 8;
  for (int tries = 1;; ++tries) {
    if (!refresh(session, mirror)) return Ref();
    const Ref keys = mirror->canonical_of.copy();
    const std::uint64_t changes = mirror->changes;
    PyObject* const found = PyDict_GetItemWithError(keys.get(), key);
    if (found != nullptr || changes == mirror->changes || PyErr_Occurred() != nullptr || tries == tries_max) {
      return Ref::share(found);
    }
  }
}

bool ExoticKeys::refresh(Session* session, Mirror* mirror) {
  if (!purge(session)) return false;  // of what this process stored, too
  Lease<Buffer> buffer(session->module->spare_buffer);
  if (!buffer) return false;
  std::uint64_t learnt = 0;  // up to that birth, by this call
  for (;;) {
    if (!mirror->cursor && !mirror->begin(session->engine)) return false;
    Sighting seen;
    Record record;
    const Status status = mirror->cursor->next(&seen, buffer.get(), &record);
    const bool is_end = status.code() == Code::not_found;
    if (is_end && mirror->passed.empty()) return true;
    if (!status && !is_end) return raise_status(session, status), false;
    if (!is_end && !record.exotic && !mirror->plain_too) continue;
    // The cursor has passed the key: the mirror begins anew, or it would not know of it for ever.
    if (!is_end && !mirror->pass(seen.born, record)) return begin_anew(mirror), false;
    const std::uint64_t born = mirror->to_learn(learnt);
    if (born == 0 && is_end) return true;
    if (born == 0) continue;
    const Ref keys = mirror->canonical_of.copy();
    if (!learn(session, mirror, born)) return begin_anew(mirror), false;
    learnt = mirror->canonical_of.get() == keys.get() ? born : 0;
  }
}

bool ExoticKeys::Mirror::begin(const Dict& dict) {
  if (!ensure_dict(&canonical_of)) return false;
  if (!cursor) cursor.emplace(dict, Cursor::Direction::following);
  return true;
}

bool ExoticKeys::Mirror::pass(std::uint64_t born, const Record& record) try {
  Passed key{bytes_object(record.canonical), Ref(), record.exotic, false, changes, {}};
  if (!record.face.empty()) key.face = bytes_object(record.face);
  if (!key.canonical || (!record.face.empty() && !key.face)) return false;
  passed.emplace(born, std::move(key));
  return true;
} catch (const std::bad_alloc&) {
  PyErr_NoMemory();
  return false;
}

// Also what other threads are learning: nobody waits for them. What this thread is learning is learnt once more if its
// loading looks a key up, but that once more is not begun within itself for ever: there it is not found.
std::uint64_t ExoticKeys::Mirror::to_learn(std::uint64_t after) const {
  constexpr std::ptrdiff_t nested_max = 2;
  const std::uint64_t thread = PyThreadState_GetID(PyThreadState_Get());
  for (auto at = passed.upper_bound(after); at != passed.end(); ++at) {
    const std::vector<std::uint64_t>& learners = at->second.learners;
    if (std::count(learners.begin(), learners.end(), thread) < nested_max) return at->first;
  }
  return 0;
}

// Another thread, or a call from within, may do the same meanwhile, or begin the mirror anew: then it counts for
// nothing.
bool ExoticKeys::learn(Session* session, Mirror* mirror, std::uint64_t born) {
  const Learning learning(session, mirror, born);
  const Passed& passed = mirror->passed.at(born);
  const Ref canonical = passed.canonical.copy(), face = passed.face.copy();
  const bool exotic = passed.exotic;
  const Ref keys = mirror->canonical_of.copy();
  const std::uint64_t changes = passed.changes;
  const Bytes face_bytes = face ? bytes_of(face.get()) : Bytes();
  Ref key = Ref::steal(object_of(session, bytes_of(canonical.get()), face_bytes, exotic));
  if (!key && !exotic && unloadable()) {  // one that is equal does as well
    key = Ref::steal(decode_key(session->module->convert, bytes_of(canonical.get()), {}, false));
  }
  if (!key || PyObject_Hash(key.get()) == -1) {
    ++mirror->unloaded;
    if (!unloadable()) return false;
  } else if (changes == mirror->changes || !is_gone(session, canonical.get())) {
    bool alone = true;
    if (!mirror->put(keys.get(), key.get(), canonical.get(), exotic, &alone)) return false;
    // It may have taken the place of an equal one that came when it was gone.
    if (!alone && is_gone(session, canonical.get())) begin_anew(mirror);
  }
  const auto found = mirror->passed.find(born);
  if (found != mirror->passed.end() && mirror->canonical_of.get() == keys.get()) found->second.is_learnt = true;
  return true;
}

// Also replaces an equal key, of which only the mirror knows that it is there: what equals that one need not equal
// this. `keys` are the mirror's, or were.
bool ExoticKeys::Mirror::put(PyObject* keys, PyObject* key, PyObject* canonical, bool exotic, bool* alone) {
  std::uint64_t expected = ++changes;
  PyObject* const known = PyDict_GetItemWithError(keys, key);
  if (known == nullptr && PyErr_Occurred() != nullptr) return false;
  if (known != nullptr) {
    if (exotic && bytes_of(known) == bytes_of(canonical)) return true;
    const Ref old = Ref::steal(PyObject_CallMethod(keys, "pop", "OO", key, Py_None));
    if (!old) return false;
    ++changes, ++expected;
  }
  if (PyDict_SetItem(keys, key, canonical) < 0) return false;
  *alone = changes == expected;
  return true;
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
  bool alone = true;
  if (exotic_.put(keys.get(), key, stored.get(), true, &alone)) return true;
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
    ++mirror->changes;
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
