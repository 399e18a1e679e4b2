// SPDX-License-Identifier: Apache-2.0
// SharedLock: taking and giving back. `with d.lock:` is two calls into C and two exchanges on one word of shared
// memory.
#include "lock_type.h"

#include "dict_life.h"

namespace ultradict::python {

namespace {

// Two shapes of acquire(): that of the original's shared lock, which raises, and that of multiprocessing.RLock.
const char* const raising_words[] = {"block", "sleep_time", "timeout", "steal_after_timeout", "steal", nullptr};
const char* const answering_words[] = {"block", "timeout", "sleep_time", "steal_after_timeout", "steal", nullptr};

PyObject* bool_object(bool value) { return Ref::share(value ? Py_True : Py_False).release(); }

PyObject* raise_untaken(Session* session, Taken taken, double seconds_passed) {
  if (taken != Taken::error) raise_lock_busy(session, taken == Taken::timed_out, seconds_passed);
  return nullptr;
}

// Takes the lock with the given terms and answers what `with` binds: the lock itself.
PyObject* enter(PyObject* lock, const LockTerms& terms) {
  Session* session = session_of_lock(lock);
  if (session == nullptr) return nullptr;
  const Use use(session);
  double seconds_passed = 0;
  const Taken taken = take_lock(session, terms, &seconds_passed);
  if (taken != Taken::yes) return raise_untaken(session, taken, seconds_passed);
  ++session->locks;
  return Ref::share(lock).release();
}

PyObject* lock_enter(PyObject* self, PyObject*) {
  Session* session = lock_object(self)->session;
  if (!session->closed && session->engine.try_lock()) return ++session->locks, Py_INCREF(self), self;
  return enter(self, LockTerms{});
}

PyObject* left(Session* session, const Status& status) {
  const Use use(session);
  if (!status && status.code() != Code::not_owner) return raise_status(session, status);
  if (session->engine.has_recovery()) tell_of_recovery(session);
  Py_RETURN_NONE;
}

// A dict closed inside `with` has given the lock back already, unless another thread closed it.
PyObject* leave(PyObject* lock) {
  Session* session = lock_object(lock)->session;
  if (!session->engine.is_open()) Py_RETURN_NONE;
  const Status status = session->unlock();
  const bool is_usual = status && !session->closed && !session->has_chores() && !session->engine.has_recovery();
  if (!is_usual) [[unlikely]]
    return left(session, status);
  Py_RETURN_NONE;
}

PyObject* lock_exit(PyObject* self, PyObject* const*, Py_ssize_t) { return leave(self); }

PyObject* acquire(Session* session, const LockTerms& terms, bool raises) {
  const Use use(session);
  double seconds_passed = 0;
  const Taken taken = take_lock(session, terms, &seconds_passed);
  if (taken == Taken::yes) return ++session->locks, bool_object(true);
  if (taken == Taken::error || raises) return raise_untaken(session, taken, seconds_passed);
  Py_RETURN_FALSE;
}

PyObject* lock_acquire(PyObject* self, PyObject* arguments, PyObject* keywords) {
  Session* session = session_of_lock(self);
  if (session == nullptr) return nullptr;
  LockParameters given;
  if (!given.parse(session->shared_lock ? raising_words : answering_words, arguments, keywords)) return nullptr;
  return acquire(session, given.terms, session->shared_lock);
}

// Of the original: the same, with a time limit, whatever is said of blocking.
PyObject* lock_acquire_with_timeout(PyObject* self, PyObject* arguments, PyObject* keywords) {
  Session* session = session_of_lock(self);
  if (session == nullptr) return nullptr;
  LockParameters given;
  given.terms.timeout = 1;
  if (!given.parse(raising_words, arguments, keywords)) return nullptr;
  given.terms.block = true;
  return acquire(session, given.terms, true);
}

// Another thread may have closed the handle meanwhile, which stays open for this: see Session::close.
PyObject* lock_release(PyObject* self, PyObject*) {
  Session* session = lock_object(self)->session;
  const bool gives_back = session->closed && session->engine.is_open() && session->engine.has_lock();
  if (!gives_back && session_of_lock(self) == nullptr) return nullptr;
  const Use use(session);
  const Status status = session->unlock();
  if (status && session->engine.has_recovery()) tell_of_recovery(session);
  if (status) Py_RETURN_TRUE;
  if (status.code() == Code::not_owner) Py_RETURN_FALSE;
  return raise_status(session, status);
}

PyObject* lock_reduce(PyObject* self, PyObject*) {
  Session* session = session_of_lock(self);
  if (session == nullptr) return nullptr;
  const Ref arguments = Ref::steal(handle_arguments(session, lock_object(self)->dict_type));
  const Ref module = Ref::steal(PyImport_ImportModule("UltraDict"));
  const Ref attach = Ref::steal(module ? PyObject_GetAttrString(module.get(), "attach_lock") : nullptr);
  if (!arguments || !attach) return nullptr;
  return PyTuple_Pack(2, attach.get(), arguments.get());
}

PyObject* get_has_lock(PyObject* self, void*) {
  Session* session = session_of_lock(self);
  return session == nullptr ? nullptr : bool_object(session->engine.has_lock());
}

PyObject* lock_repr(PyObject* self) {
  Session* session = lock_object(self)->session;
  if (session->closed) return PyUnicode_FromFormat("<SharedLock of '%s' (closed)>", session->name.c_str());
  const Owner owner = session->engine.owner();
  if (owner.number == 0) return PyUnicode_FromFormat("<SharedLock of '%s' (free)>", session->name.c_str());
  return PyUnicode_FromFormat("<SharedLock of '%s' (held by process %d)>", session->name.c_str(), owner.pid);
}

// Cycles go through the session, in whose values or keys it may be itself.
int lock_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(lock_object(self)->dict_type);
  Py_VISIT(lock_object(self)->session->common);
  return 0;
}

void lock_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  PyTypeObject* type = Py_TYPE(self);
  Py_CLEAR(lock_object(self)->dict_type);
  lock_object(self)->session->lose_object();
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

PyMethodDef lock_methods[] = {
    {"__enter__", guarded<lock_enter>, METH_NOARGS, "__enter__($self, /)\n--\n\nWaits for the lock."},
    {"__exit__", method(guarded<lock_exit>), METH_FASTCALL, "Gives the lock back."},
    {"__reduce__", guarded<lock_reduce>, METH_NOARGS, "Pickles like the handle."},
    {"acquire", method(guarded<lock_acquire>), words_too,
     "acquire($self, /, block=True, timeout=None, sleep_time=1e-06, steal_after_timeout=False, *, steal=False)\n--\n\n"
     "Takes the lock and answers True; False if it cannot be had. timeout is in seconds, None waits for ever; "
     "block=False does not wait; sleep_time=0 waits without sleeping. With shared_lock=True sleep_time stands before "
     "timeout, and what cannot be had raises CannotAcquireLock, or CannotAcquireLockTimeout after the timeout. A dead "
     "holder is replaced, a living one never: steal_after_timeout and steal change nothing. AlreadyClosed if the dict "
     "is."},
    {"acquire_with_timeout", method(guarded<lock_acquire_with_timeout>), words_too,
     "acquire_with_timeout($self, /, block=True, sleep_time=1e-06, timeout=1.0, steal_after_timeout=False, *, "
     "steal=False)\n--\n\n"
     "As in the original: takes the lock within `timeout` seconds or raises CannotAcquireLockTimeout."},
    {"release", guarded<lock_release>, METH_VARARGS,
     "release($self, /, *args)\n--\n\nGives the lock back once; False if this thread does not hold it."},
    {"steal", method(guarded<lock_steal>), words_too,
     "steal($self, /, from_pid=0, release=False)\n--\n\nTakes the lock from a dead process; False if its holder "
     "lives."},
    {"steal_from_dead", method(guarded<lock_steal_from_dead>), words_too,
     "steal_from_dead($self, /, from_pid=0, release=False)\n--\n\nLike steal, but raises if the holder lives."},
    {"reset", guarded<lock_reset>, METH_NOARGS,
     "reset($self, /)\n--\n\nFrees the lock if this thread holds it, or one that ended, or a dead process."},
    {"status", guarded<lock_status>, METH_NOARGS, "status($self, /)\n--\n\nA dict that says who holds the lock."},
    {"print_status", method(guarded<lock_print_status>), words_too,
     "print_status($self, /, status=None)\n--\n\nPrints status()."},
    {"get_remote_pid", guarded<lock_get_remote_pid>, METH_NOARGS,
     "get_remote_pid($self, /)\n--\n\nThe process that holds the lock, or 0."},
    {"get_remote_lock", guarded<lock_get_remote_lock>, METH_NOARGS,
     "get_remote_lock($self, /)\n--\n\n1 if anybody holds the lock, else 0."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef lock_getset[] = {
    {"has_lock", guarded<get_has_lock>, nullptr, "Whether this thread holds the lock.", nullptr},
    {"pid", guarded<lock_get_pid>, nullptr, "The process that asks.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot lock_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(refuse_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(lock_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(lock_traverse)},
    {Py_tp_repr, reinterpret_cast<void*>(guarded<lock_repr>)},
    {Py_tp_call, reinterpret_cast<void*>(guarded<lock_call>)},
    {Py_tp_methods, lock_methods},
    {Py_tp_getset, lock_getset},
    {Py_tp_doc,
     const_cast<char*>("The lock of an UltraDict: d.lock. One for all processes, re-entrant per thread.\n\n"
                       "with d.lock: waits as long as it takes.\n"
                       "with d.lock(block=True, timeout=None, sleep_time=1e-06): waits `timeout` seconds at most, then "
                       "CannotAcquireLockTimeout; with block=False not at all, CannotAcquireLock.\n"
                       "acquire() and release() do the same without `with`.")},
    {0, nullptr},
};

// --- lock(...): one acquisition with its own parameters ---

struct RequestObject {
  PyObject_HEAD PyObject* lock;
  LockTerms terms;
};

PyObject* request_enter(PyObject* self, PyObject*) {
  auto* request = reinterpret_cast<RequestObject*>(self);
  return enter(request->lock, request->terms);
}

PyObject* request_exit(PyObject* self, PyObject* const*, Py_ssize_t) {
  return leave(reinterpret_cast<RequestObject*>(self)->lock);
}

// Of a cycle through the lock the session lets go, or the class of the dict.
int request_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(reinterpret_cast<RequestObject*>(self)->lock);
  return 0;
}

void request_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  PyTypeObject* type = Py_TYPE(self);
  Py_CLEAR(reinterpret_cast<RequestObject*>(self)->lock);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

PyMethodDef request_methods[] = {
    {"__enter__", guarded<request_enter>, METH_NOARGS, "Waits for the lock as long as was asked for."},
    {"__exit__", method(guarded<request_exit>), METH_FASTCALL, "Gives the lock back."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot request_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(refuse_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(request_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(request_traverse)},
    {Py_tp_methods, request_methods},
    {0, nullptr},
};

}  // namespace

PyType_Spec lock_spec = {"UltraDict.SharedLock", sizeof(LockObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                         lock_slots};
PyType_Spec lock_request_spec = {"UltraDict._core.lock_request", sizeof(RequestObject), 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, request_slots};

Session* session_of_lock(PyObject* self) {
  Session* session = lock_object(self)->session;
  if (!session->closed) return session;
  raise_closed(session->module, session->name);
  return nullptr;
}

PyObject* make_lock(Session* session, PyTypeObject* dict_type) {
  session->gain_object();  // first: making an object may run Python code, with which the dict may go
  auto* lock = PyObject_GC_New(LockObject, reinterpret_cast<PyTypeObject*>(session->module->lock_type.get()));
  if (lock == nullptr) return session->lose_object(), nullptr;
  lock->session = session;
  lock->dict_type = Ref::share(reinterpret_cast<PyObject*>(dict_type)).release();
  auto* object = reinterpret_cast<PyObject*>(lock);
  PyObject_GC_Track(object);
  return object;
}

PyObject* lock_call(PyObject* self, PyObject* arguments, PyObject* keywords) {
  Session* session = session_of_lock(self);
  if (session == nullptr) return nullptr;
  LockParameters given;
  if (!given.parse(call_words, arguments, keywords)) return nullptr;
  auto* type = reinterpret_cast<PyTypeObject*>(session->module->lock_request_type.get());
  auto* request = PyObject_GC_New(RequestObject, type);
  if (request == nullptr) return nullptr;
  request->lock = Ref::share(self).release();
  request->terms = given.terms;
  auto* object = reinterpret_cast<PyObject*>(request);
  PyObject_GC_Track(object);
  return object;
}

}  // namespace ultradict::python
