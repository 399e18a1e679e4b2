// SPDX-License-Identifier: Apache-2.0
// Every decoding may run Python code, and that code may use the dict: what was found in the cache before is asked for
// again afterwards, unless the cache's version says that it did not change.
#include "lookup.h"

#include "nested.h"

namespace ultradict::python {

namespace {

Status copy_blob(Session* session, const Sighting& seen, std::uint64_t size, char* destination) {
  if (size <= copy_with_gil_size_max) return session->engine.read_blob(seen, size, destination);
  const GilReleased released;
  return session->engine.read_blob(seen, size, destination);
}

// Of a value that is decoded from a private copy. Null without an exception: overwritten or deleted meanwhile.
PyObject* decode_copy(Session* session, const Sighting& seen, std::uint64_t size) {
  const std::unique_ptr<char, decltype(&PyMem_RawFree)> bytes(static_cast<char*>(PyMem_RawMalloc(size)), PyMem_RawFree);
  if (!bytes) return PyErr_NoMemory();
  const Status status = copy_blob(session, seen, size, bytes.get());
  if (status.code() == Code::changed) return nullptr;
  if (!status) return raise_status(session, status);
  return decode_value(Bytes(bytes.get(), size), session->serializer);
}

bool check_intact(Session* session, const MappedValue& mapped) {
  bool intact = false;
  {
    const GilReleased released;
    intact = mapped.is_intact();
  }
  if (!intact) session->module->convert.raise_damaged("the stored bytes of a large value are damaged");
  return intact;
}

// The same of a very large one: what is copied by decoding is not copied before.
PyObject* decode_in_place(Session* session, const Sighting& seen, std::uint64_t size) {
  MappedValue mapped;
  const Status status = session->engine.map_blob(seen, size, &mapped);
  if (status.code() == Code::changed) return nullptr;
  if (!status) return raise_status(session, status);
  const Tag tag = tag_of(mapped.bytes());
  if (!decodes_by_copying(tag)) return decode_copy(session, seen, size);
  return check_intact(session, mapped) ? decode_value(tag, mapped.bytes(), session->serializer) : nullptr;
}

PyObject* decode_blob(Session* session, const Sighting& seen, std::uint64_t size) {
  return size <= copy_with_gil_size_max ? decode_copy(session, seen, size) : decode_in_place(session, seen, size);
}

// `key` may be null.
PyObject* decode_record(Session* session, PyObject* key, const Sighting& seen, const Record& record) {
  ++session->misses;
  if (record.child.number != 0) return child_handle(session, record.child);
  PyObject* value =
      record.is_blob ? decode_blob(session, seen, record.value_size) : decode_value(record.value, session->serializer);
  if (value != nullptr && is_shared_dict(value, session->module)) session->hands_out_handles = true;
  return named(session, value, [&] {
    const Ref its_key =
        key != nullptr ? Ref::share(key)
                       : Ref::steal(session->exotic.object_of(session, record.canonical, record.face, record.exotic));
    return Ref::steal(its_key ? PyUnicode_FromFormat("the value of key %R", its_key.get()) : nullptr);
  });
}

std::uint64_t size_of(const Record& record) {
  const std::uint64_t value_size = record.child.number != 0 ? child_handle_size : record.value_size;
  return record.canonical.size() + record.face.size() + value_size;
}

// The key object for the cache: `key` itself where that is how the stored key looked to who inserted it.
Ref key_for_cache(Session* session, PyObject* key, const Record& record) {
  const bool same = key != nullptr && record.face.empty() && !record.exotic &&
                    (PyUnicode_CheckExact(key) || PyLong_CheckExact(key) || PyBytes_CheckExact(key));
  if (same) return Ref::share(key);
  return Ref::steal(session->exotic.object_of(session, record.canonical, record.face, record.exotic));
}

// Puts a decoded value where a probe found its key. `key_known`: `key` is how it looked to who inserted it.
void remember(Session* session, PyObject* key, bool key_known, Py_hash_t hash, PyObject* value, const Sighting& seen,
              std::uint64_t size) {
  std::uint32_t number = 0;
  const int known = session->cache.find(hash, key, &number);
  if (known < 0) return forgive_raised();
  if (known == 0) return session->cache.insert(hash, key, key_known, value, seen, size);
  Cache::Item& item = session->cache.item(number);
  if (item.born == seen.born) {
    if (key_known && !Cache::key_known(item)) session->cache.set_key(item, key);
    return session->cache.renew(item, value, seen, size);
  }
  session->cache.remove(number);
  session->cache.insert(hash, key, key_known, value, seen, size);
}

Answer find_canonical(Probe* probe) {
  Session* session = probe->session;
  const Status status =
      session->engine.find(probe->canonical.bytes(), &probe->seen, probe->buffer.get(), &probe->record);
  if (status) return Answer::yes;
  if (status.code() == Code::not_found) return Answer::no;
  raise_status(session, status);
  return Answer::error;
}

// The mirror may name a key that was deleted since: it is told, and asked again.
Answer find_exotic(Probe* probe) {
  Session* session = probe->session;
  Scratch own;
  for (;;) {
    const int known = session->exotic.find(session, probe->key, probe->kind == KeyKind::exotic, &own);
    if (known < 0) return Answer::error;
    if (known == 0) return Answer::no;
    const Status status = session->engine.find(own.bytes(), &probe->seen, probe->buffer.get(), &probe->record);
    if (status) {
      probe->canonical.clear();
      return probe->canonical.append(own.bytes()) ? Answer::yes : Answer::error;
    }
    if (status.code() != Code::not_found) return raise_status(session, status), Answer::error;
    session->exotic.forget(session, probe->key);
  }
}

// The item still holds the value that was found by key: only its place is new.
PyObject* same_value(Session* session, PyObject* key, Py_hash_t hash, const Sighting& seen) {
  std::uint32_t number = 0;
  const int known = session->cache.find(hash, key, &number);
  if (known <= 0) return nullptr;
  Cache::Item& item = session->cache.item(number);
  const Ref value = Ref::share(session->cached_value(item));
  if (!value || item.sequence != seen.sequence || item.born != seen.born) return nullptr;
  session->cache.replace_ref(item, seen);
  return Ref::share(value.get()).release();
}

PyObject* read_stored(Session* session, PyObject* key, Py_hash_t hash) {
  Probe probe(session);
  if (!probe) return nullptr;
  probe.key = key;
  for (Looks looks(session); looks.begin();) {
    if (find_stored(&probe) != Answer::yes) return nullptr;
    PyObject* value = same_value(session, key, hash, probe.seen);
    if (value != nullptr || PyErr_Occurred() != nullptr) return value;
    value = value_of_record(session, key, hash, probe.seen, probe.record);
    if (value != nullptr || PyErr_Occurred() != nullptr) return value;
    if (looks.is_last()) return raise_unfetched(session);
  }
  return nullptr;
}

}  // namespace

PyObject* raise_unfetched(Session* session) {
  return raise_status(session, Status(Code::damaged, "UltraDict '" + session->name +
                                                         "': shared bytes are damaged: a key has a value that is "
                                                         "nowhere; clear the dict, or unlink it and create it anew"));
}

Answer find_stored(Probe* probe) {
  Session* session = probe->session;
  probe->kind = encode_key(session->module->convert, probe->key, &probe->canonical, &probe->face);
  if (probe->kind == KeyKind::error) return Answer::error;
  if (!probe->canonical.empty()) {
    const Answer found = find_canonical(probe);
    if (found != Answer::no) return found;
  }
  if (probe->kind != KeyKind::exotic && session->engine.exotic_count() == 0) return Answer::no;
  return find_exotic(probe);
}

PyObject* value_of_record(Session* session, PyObject* key, Py_hash_t hash, const Sighting& seen, const Record& record,
                          Remember when) {
  Ref value = Ref::steal(decode_record(session, key, seen, record));
  (void)session->cache.follow_table(seen);  // also where nothing will be kept: an older table is let go of then
  if (!value || !session->cache.enabled()) return value.release();
  if (when == Remember::if_room && !session->cache.has_room(size_of(record))) return value.release();
  // Who has an equal key need not be able to load the one that was inserted.
  const bool is_equal_only = key != nullptr && when == Remember::always && !record.exotic && is_pickled(record.face);
  const Ref stored_key = is_equal_only ? Ref::share(key) : key_for_cache(session, key, record);
  if (!stored_key) return nullptr;
  if (key == nullptr) hash = PyObject_Hash(stored_key.get());
  if (hash == -1) return nullptr;
  remember(session, stored_key.get(), !is_equal_only, hash, value.get(), seen, size_of(record));
  return value.release();
}

// The value of a record that was just read for an item whose key is known.
static PyObject* renewed_value(Session* session, std::uint32_t number, const Sighting& seen, const Record& record) {
  Cache& cache = session->cache;
  const Ref key = Ref::share(cache.item(number).key);
  const Py_hash_t hash = cache.item(number).hash;
  const std::uint64_t version = cache.version();
  Ref value = Ref::steal(decode_record(session, key.get(), seen, record));
  if (!value) return nullptr;
  if (version == cache.version()) {
    cache.renew(cache.item(number), value.get(), seen, size_of(record));
  } else {
    remember(session, key.get(), true, hash, value.get(), seen, size_of(record));
  }
  return value.release();
}

PyObject* refresh_item(Session* session, std::uint32_t number) {
  Cache& cache = session->cache;
  const Lease<Buffer> buffer(session->module->spare_buffer);
  if (!buffer) return nullptr;
  Cache::Item& item = cache.item(number);
  Sighting seen = cache.sighting(item);
  if (session->cached_value(item) == nullptr) seen.sequence = 0;
  const std::uint64_t born = item.born;
  Record record;
  bool moved = false;
  const Status status = session->engine.reread(&seen, buffer.get(), &record, &moved);
  if (status.code() == Code::changed) return cache.remove(number), nullptr;
  if (!status) return raise_status(session, status);
  seen.born = born;
  if (moved) {
    const Ref value = Ref::share(item.value);
    cache.replace_ref(item, seen);
    return Ref::share(value.get()).release();
  }
  if (!Cache::key_known(item)) {
    const Ref key = Ref::share(item.key);
    return value_of_record(session, key.get(), item.hash, seen, record);
  }
  return renewed_value(session, number, seen, record);
}

PyObject* read_value(Session* session, PyObject* key, Py_hash_t hash) {
  const Use use(session);
  Cache& cache = session->cache;
  std::uint32_t number = 0;
  const int known = cache.find(hash, key, &number);
  if (known < 0) return nullptr;
  if (known != 0) {
    Cache::Item& item = cache.item(number);
    PyObject* value = session->cached_value(item);
    if (value != nullptr && cache.current(item)) {
      Ref kept = Ref::share(value);
      if (cache.count_hit()) session->tidy();
      return kept.release();
    }
    if (cache.entry_known(item)) {
      value = refresh_item(session, number);
      if (value != nullptr || PyErr_Occurred() != nullptr) return value;
    }
  }
  return read_stored(session, key, hash);
}

}  // namespace ultradict::python
