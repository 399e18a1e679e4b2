// SPDX-License-Identifier: Apache-2.0
// Closing, unlinking, and what a handle says about itself.
#include "dict_life.h"

#include <string>
#include <utility>

#include "lock_type.h"
#include "locking.h"

namespace ultradict::python {

namespace {

// By its name alone; only that of a nested dict has a '/'. As of an open handle.
Status unlink_named(std::string_view name, std::string_view id = {}) {
  if (name.find('/') == name.npos) return Dict::unlink(name, {}, id);
  return Status(Code::invalid_argument,
                "dict '" + std::string(name) + "': a nested dict goes with the keys that refer to it: delete those");
}

Status unlink_engine(Session* session) {
  return session->closed ? unlink_named(session->name, session->id) : session->engine.unlink();
}

bool put_number(PyObject* dict, const char* word, std::uint64_t number) {
  const Ref value = Ref::steal(PyLong_FromUnsignedLongLong(number));
  return value && PyDict_SetItemString(dict, word, value.get()) == 0;
}

// An attribute that is known of open handles only.
template <class Read>
PyObject* of_open(PyObject* self, const Read& read) {
  Session* session = glanced_session(self);
  return session == nullptr ? nullptr : read(session);
}

PyObject* get_name(PyObject* self, void*) {
  const DictObject* dict = dict_object(self);
  if (dict->session == nullptr) return raise_closed(dict->module, {});
  return PyUnicode_FromString(dict->session->name.c_str());
}

PyObject* get_closed(PyObject* self, void*) {
  const Session* session = dict_object(self)->session;
  return PyBool_FromLong(session == nullptr || session->closed);
}

PyObject* get_lock(PyObject* self, void*) {
  DictObject* dict = dict_object(self);
  Session* session = open_session(self);
  if (session == nullptr) return nullptr;
  if (dict->lock != nullptr) return Py_INCREF(dict->lock), dict->lock;
  const Use use(session);
  Ref made = Ref::steal(make_lock(session, Py_TYPE(self)));
  // Making an object may run Python code: that has closed the dict, or made the lock.
  if (!made || open_session(self) == nullptr) return nullptr;
  if (dict->session != session) return raise_closed(dict->module, session->name);
  if (dict->lock == nullptr) dict->lock = made.release();
  return Py_INCREF(dict->lock), dict->lock;
}

PyObject* get_id(PyObject* self, void*) {
  return of_open(self, [](Session* session) { return PyUnicode_FromString(session->engine.id().c_str()); });
}

PyObject* get_is_creator(PyObject* self, void*) {
  return of_open(self, [](Session* session) { return PyBool_FromLong(session->engine.is_creator()); });
}

PyObject* get_serializer(PyObject* self, void*) {
  return of_open(self, [](Session* session) { return serializer_object(session->serializer); });
}

PyObject* get_shared_lock(PyObject* self, void*) {
  return of_open(self, [](Session* session) { return PyBool_FromLong(session->shared_lock); });
}

PyObject* get_recurse(PyObject* self, void*) {
  return of_open(self, [](Session* session) { return PyBool_FromLong(session->recurse); });
}

PyObject* get_buffer_size(PyObject* self, void*) {
  return of_open(self,
                 [](Session* session) { return PyLong_FromUnsignedLongLong(session->engine.options().buffer_size); });
}

PyObject* get_full_dump_size(PyObject* self, void*) {
  return of_open(self, [](Session* session) {
    const std::uint64_t size = session->engine.options().full_dump_size;
    return size == 0 ? Ref::share(Py_None).release() : PyLong_FromUnsignedLongLong(size);
  });
}

PyObject* get_auto_unlink(PyObject* self, void*) {
  return of_open(self, [](Session* session) { return PyBool_FromLong(session->engine.options().auto_unlink); });
}

PyObject* get_full_dump_counter(PyObject* self, void*) {
  return of_open(
      self, [](Session* session) { return PyLong_FromUnsignedLongLong(session->engine.stats().full_dump_counter); });
}

PyObject* get_max_bytes(PyObject* self, void*) {
  return of_open(self, [](Session* session) {
    const std::uint64_t size = session->engine.options().max_bytes;
    return size == 0 ? Ref::share(Py_None).release() : PyLong_FromUnsignedLongLong(size);
  });
}

PyObject* get_free_bytes(PyObject* self, void*) {
  return of_open(self, [](Session* session) {
    if (session->engine.options().max_bytes == 0) return Ref::share(Py_None).release();
    return PyLong_FromUnsignedLongLong(session->engine.stats().free_bytes);
  });
}

PyObject* get_stream(PyObject* self, void*) {
  return of_open(self, [](Session* session) {
    const Stats stats = session->engine.stats();
    return Py_BuildValue("KK", static_cast<unsigned long long>(stats.full_dump_counter),
                         static_cast<unsigned long long>(stats.stream_position));
  });
}

PyObject* get_update_stream_position(PyObject* self, void*) {
  return of_open(self,
                 [](Session* session) { return PyLong_FromUnsignedLongLong(session->engine.stats().stream_position); });
}

// Programs written for UltraDict 0.0.6 set what is a parameter before they call __init__ with it. It has no effect, and
// nothing is there yet that could contradict it.
int set_early(PyObject* self, PyObject*, void* name) {
  DictObject* dict = dict_object(self);
  if (dict->session == nullptr) return 0;
  PyErr_Format(PyExc_AttributeError, "%s of an UltraDict cannot be set: it is what the dict was created with",
               static_cast<const char*>(name));
  return -1;
}

void* name_of(const char* name) { return const_cast<char*>(name); }

bool put_stats(PyObject* dict, const Session* session) {
  const Stats stats = session->engine.stats();
  const std::pair<const char*, std::uint64_t> numbers[] = {
      {"count", stats.count},
      {"nested_count", stats.nested_count},
      {"dict_count", stats.dict_count},
      {"content_size", stats.content_size},
      {"live_size", stats.live_size},
      {"dead_size", stats.dead_size},
      {"log_size", stats.log_size},
      {"table_size", stats.table_size},
      {"blob_size", stats.blob_size},
      {"free_bytes", stats.free_bytes},
      {"segments", stats.segments},
      {"blobs", stats.blobs},
      {"slots", stats.slots},
      {"table_number", stats.table_number},
      {"tail_position", stats.tail_position},
      {"full_dump_counter", stats.full_dump_counter},
      {"stream_position", stats.stream_position},
      {"recoveries", stats.recoveries},
      {"moved_records", stats.moved_records},
      {"pinned_bytes", *session->mapped.pinned()},
      {"cache_count", session->cache.count()},
      {"cache_size", session->cache.size()},
      {"cache_hits", session->cache.hits()},
      {"cache_misses", session->misses},
      {"lock_waits", session->lock_waits},
  };
  for (const auto& [word, number] : numbers) {
    if (!put_number(dict, word, number)) return false;
  }
  return true;
}

}  // namespace

PyGetSetDef dict_getset[] = {
    {"name", guarded<get_name>, guarded<set_early>, "The name by which any process of this user attaches.",
     name_of("name")},
    {"closed", guarded<get_closed>, nullptr, "Whether this handle was closed, or never opened.", nullptr},
    {"lock", guarded<get_lock>, nullptr,
     "The lock of this dict: one for all processes, re-entrant per thread. `with d.lock:` waits as long as it takes, "
     "`with d.lock(timeout=0.5):` half a second, then CannotAcquireLockTimeout.",
     nullptr},
    {"serializer", guarded<get_serializer>, guarded<set_early>, "What turns values into bytes.", name_of("serializer")},
    {"shared_lock", guarded<get_shared_lock>, guarded<set_early>, "As recorded when the dict was created.",
     name_of("shared_lock")},
    {"recurse", guarded<get_recurse>, guarded<set_early>,
     "Whether plain dicts become nested ones when they are assigned.", name_of("recurse")},
    {"buffer_size", guarded<get_buffer_size>, guarded<set_early>,
     "What the dict was created with, in bytes: a hint, of which at most 513 KiB were set aside.",
     name_of("buffer_size")},
    {"full_dump_size", guarded<get_full_dump_size>, guarded<set_early>, "Bound of the content in bytes, or None.",
     name_of("full_dump_size")},
    {"max_bytes", guarded<get_max_bytes>, nullptr, "Bound of all its shared memory in bytes, or None.", nullptr},
    {"free_bytes", guarded<get_free_bytes>, nullptr, "What max_bytes leaves for files to come, or None without it.",
     nullptr},
    {"auto_unlink", guarded<get_auto_unlink>, guarded<set_early>, "Whether the name goes with its creator.",
     name_of("auto_unlink")},
    {"full_dump_counter", guarded<get_full_dump_counter>, nullptr, "How often the stream of changes began anew.",
     nullptr},
    {"update_stream_position", guarded<get_update_stream_position>, nullptr,
     "Bytes of changes streamed since full_dump_counter was last raised.", nullptr},
    {"data", guarded<dict_get_data>, guarded<dict_set_data>,
     "All items in a plain dict, the same one each time; None drops it.", nullptr},
    {"_shared_stream", guarded<get_stream>, nullptr, "full_dump_counter and update_stream_position of one moment.",
     nullptr},
    {"_shared_id", guarded<get_id>, nullptr, "Unique for ever, unlike the name.", nullptr},
    {"_shared_is_creator", guarded<get_is_creator>, nullptr, "Whether this very handle created the dict.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

void drop_session(DictObject* dict) {
  Session* session = std::exchange(dict->session, nullptr);
  if (session != nullptr) session->detach();
  Py_CLEAR(dict->lock);
  if (session != nullptr) session->lose_object();
}

PyObject* dict_check_open(PyObject* self, PyObject*) {
  return open_session(self) != nullptr ? Ref::share(Py_None).release() : nullptr;
}

PyObject* dict_close(PyObject* self, PyObject*) {
  Session* session = dict_object(self)->session;
  if (session != nullptr && !session->closed) session->close();
  return Ref::share(Py_None).release();
}

PyObject* dict_abandon(PyObject* self, PyObject*) {
  DictObject* dict = dict_object(self);
  const RaisedKept kept;
  if (dict->session != nullptr) {
    if (dict->session->engine.is_creator()) (void)dict->session->engine.unlink();
    dict->session->close();
    drop_session(dict);
  }
  return Ref::share(Py_None).release();
}

PyObject* dict_unlink(PyObject* self, PyObject*) {
  DictObject* dict = dict_object(self);
  if (dict->session == nullptr) return raise_closed(dict->module, {});
  const Status status = unlink_engine(dict->session);
  if (!status && status.code() != Code::no_such_dict) return raise_status(dict->module, status, dict->session->name);
  return dict_close(self, nullptr);
}

PyObject* dict_dump(PyObject* self, PyObject*) {
  Session* session = open_session(self);
  if (session == nullptr) return nullptr;
  const Use use(session);
  LockForWrite lock(session);
  if (!lock.acquire()) return nullptr;
  const Status status = session->engine.dump();
  return status ? Ref::share(Py_None).release() : raise_status(session, status);
}

PyObject* dict_stats(PyObject* self, PyObject*) {
  Session* session = open_session(self);
  if (session == nullptr) return nullptr;
  session->tidy();
  if (open_session(self) == nullptr) return nullptr;  // what went has closed it
  Ref dict = Ref::steal(PyDict_New());
  return dict && put_stats(dict.get(), session) ? dict.release() : nullptr;
}

PyObject* handle_arguments(Session* session, PyObject* type) {
  const Serializer& serializer = session->serializer;
  ++session->module->handles_pickled;
  const bool importable = serializer.is_default || serializer.name.empty() || serializer.name.back() != ')';
  PyObject* object = importable && !serializer.name.empty() ? Py_None : serializer.object.get();
  return Py_BuildValue("(OssOKO)", type, session->name.c_str(), session->engine.id().c_str(), object,
                       static_cast<unsigned long long>(session->cache.size_max()),
                       serializer.allow_pickle ? Py_True : Py_False);
}

PyObject* dict_handle(PyObject* self, PyObject*) {
  return of_open(
      self, [self](Session* session) { return handle_arguments(session, reinterpret_cast<PyObject*>(Py_TYPE(self))); });
}

PyObject* unlink_by_name(PyObject* module, PyObject* name) {
  auto* state = state_of_module(module);
  Py_ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(name, &size);
  if (text == nullptr) return nullptr;
  const std::string_view wanted(text, static_cast<std::size_t>(size));
  const Status status = unlink_named(wanted);
  return status ? Ref::share(Py_None).release() : raise_status(state, status, wanted);
}

PyObject* after_fork_in_child(PyObject* module, PyObject*) {
  state_of_module(module)->under_way.end_those_of_missing_threads();
  Py_RETURN_NONE;
}

PyObject* leave_all(PyObject*, PyObject*) {
  Dict::leave_all();
  return Ref::share(Py_None).release();
}

}  // namespace ultradict::python
