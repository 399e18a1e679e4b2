// SPDX-License-Identifier: Apache-2.0
// One key. The short way is that of a key whose entry is known: no encoding of the key, no probe in shared memory.
#include "store_one.h"

#include <algorithm>

#include "convert_write.h"
#include "locking.h"

namespace ultradict::python {

namespace {

Status put(Session* session, const Key& key, ReadyValue& ready, Sighting* written) {
  if (ready.staged.size() != 0) return session->engine.put(key, &ready.staged, written);
  return session->engine.put(key, ready.bytes, written);
}

Status put_at(Session* session, Sighting* seen, ReadyValue& ready) {
  return ready.staged.size() != 0 ? session->engine.put_at(seen, &ready.staged)
                                  : session->engine.put_at(seen, ready.bytes);
}

// Whose end runs no Python code, and which nobody can change. Not null.
inline bool is_simple(PyObject* value) noexcept { return PyUnicode_CheckExact(value) || PyLong_CheckExact(value); }

// Of two simple objects: whether the cache counts the same for both.
inline bool same_size(PyObject* one, PyObject* other) noexcept {
  if (PyLong_CheckExact(one) || PyLong_CheckExact(other)) {
    return Py_TYPE(one) == Py_TYPE(other) && digits_after_first(one) == digits_after_first(other);
  }
  return PyUnicode_GET_LENGTH(one) == PyUnicode_GET_LENGTH(other) && PyUnicode_KIND(one) == PyUnicode_KIND(other);
}

// The object to keep as the value just written: the writer's own, unless it could change under the cache.
inline PyObject* value_to_keep(Session* session, PyObject* value) {
  if (is_simple(value) && lossless(session->serializer)) return value;
  return cacheable_as_is(value, session->serializer) ? value : nullptr;
}

// `number` was found before the lock was waited for.
void renew_item(Session* session, std::uint32_t number, std::uint64_t version, PyObject* value, const Sighting& seen,
                std::size_t size) {
  if (session->cache.version() != version) return;  // the item may be another by now; a read will learn the value
  session->cache.renew(session->cache.item(number), value_to_keep(session, value), seen, size);
}

// no: the entry belongs to another key by now.
Answer overwrite_item(Session* session, std::uint32_t number, PyObject* value, ReadyValue& ready) {
  Cache& cache = session->cache;
  const std::uint64_t version = cache.version();
  Sighting seen = cache.sighting(cache.item(number));
  Status status(Code::lock_busy);
  if (ready.staged.size() == 0) status = session->engine.try_put_at(&seen, ready.bytes);
  if (status.code() == Code::lock_busy) {
    LockForWrite lock(session);
    if (!lock.acquire()) return Answer::error;
    status = put_at(session, &seen, ready);
  }
  if (status) {
    renew_item(session, number, version, value, seen, ready.size);
    return Answer::yes;
  }
  if (status.code() != Code::changed) return raise_status(session, status), Answer::error;
  if (cache.version() == version) cache.remove(number);
  return Answer::no;
}

// What needs no more room than a short value on the stack, and no Python code to be written or let go.
constexpr std::size_t short_text_max = 64;  // bytes
constexpr std::size_t short_value_max = 1 + varint_size_max + std::max(short_text_max, int64_size_max);

// The end of what was written, or null: it is not an int of one digit or a short ASCII text.
inline char* write_short(PyObject* value, char* at) noexcept {
  if (long number = 0; PyLong_CheckExact(value)) return small_int(value, &number) ? write_int64(at, number) : nullptr;
  if (!PyUnicode_CheckExact(value) || !PyUnicode_IS_COMPACT_ASCII(value)) return nullptr;
  const auto size = static_cast<std::size_t>(PyUnicode_GET_LENGTH(value));
  if (size > short_text_max) return nullptr;
  at = write_varint(write_tag(at, Tag::ascii), size);
  std::memcpy(at, PyUnicode_DATA(value), size);
  return at + size;
}

// A key that was there may have looked different to who inserted it.
void remember_written(Probe* probe, Py_hash_t hash, PyObject* value, std::size_t size) {
  Session* session = probe->session;
  const Sighting& seen = probe->seen;
  (void)session->cache.follow_table(seen);
  if (!session->cache.enabled()) return;
  const bool inserted = seen.born == seen.sequence;
  std::uint32_t number = 0;
  const int known = session->cache.find(hash, probe->key, &number);
  if (known < 0) return forgive_raised();
  PyObject* kept = value_to_keep(session, value);
  size += probe->canonical.size() + probe->face.size();
  if (known != 0 && !inserted && session->cache.item(number).born == seen.born) {
    return session->cache.renew(session->cache.item(number), kept, seen, size);
  }
  if (known != 0) session->cache.remove(number);
  session->cache.insert(hash, probe->key, inserted, kept, seen, size);
}

bool encode_new(Probe* probe, PickledForm* form) {
  if (probe->kind == KeyKind::plain) return true;
  ConvertState& convert = probe->session->module->convert;
  const bool is_made = !form->face.empty();
  if (probe->kind == KeyKind::plain_like) {
    if (!is_made && !encode_face(convert, probe->key, &form->face)) return false;
    probe->face.clear();
    return probe->face.append(form->face.bytes());
  }
  if (!is_made && !encode_exotic_key(convert, probe->key, &form->canonical, &form->face)) return false;
  probe->canonical.clear();
  probe->face.clear();
  return probe->canonical.append(form->canonical.bytes()) && probe->face.append(form->face.bytes());
}

// Settles the key, and has the mirror know it if it is a new exotic one.
bool settle_for_good(Probe* probe, LockForWrite* lock, SettledKey* settled) {
  Session* session = probe->session;
  PickledForm form;
  for (int tries = 0; tries < Undisturbed::tries_max; ++tries) {
    if (!lock->regain()) return false;
    const Undisturbed undisturbed(session);
    *settled = {};
    if (!settle_key(probe, &form, settled)) return false;
    const bool is_new = settled->exotic && !settled->exists;
    if (is_new && !session->exotic.add(probe->key, probe->canonical.bytes())) return false;
    if (undisturbed.holds()) return true;
    if (is_new) session->exotic.take_back(probe->canonical.bytes());
  }
  return Undisturbed::raise_endless();
}

// The plain key without rivals goes straight to the engine.
bool put_under_lock(Probe* probe, LockForWrite* lock, ReadyValue& ready, SettledKey* settled) {
  Session* session = probe->session;
  const bool simple = probe->kind == KeyKind::plain && session->engine.exotic_count() == 0;
  if (!simple && !settle_for_good(probe, lock, settled)) return false;
  const Key key{probe->canonical.bytes(), probe->face.bytes(), settled->exotic};
  const Status status = put(session, key, ready, &probe->seen);
  if (!status) return raise_status(session, status), false;
  if (probe->seen.born == probe->seen.sequence) ++session->size_changes;
  return true;
}

}  // namespace

bool Undisturbed::raise_endless() {
  PyErr_SetString(PyExc_RuntimeError, "comparing or pickling the key changes the dict each time");
  return false;
}

bool settle_key(Probe* probe, PickledForm* form, SettledKey* settled) {
  const Answer found = find_stored(probe);
  if (found == Answer::error) return false;
  settled->exists = found == Answer::yes;
  settled->exotic = settled->exists ? probe->record.exotic : is_exotic(probe->kind);
  if (!settled->exists) return encode_new(probe, form);
  probe->face.clear();
  return probe->record.face.empty() || probe->face.append(probe->record.face);
}

namespace {

// The common new key: small, plain, and of a type that no exotic key need be asked about. no: it takes more than that.
[[gnu::noinline]] Answer store_new_plain(Session* session, PyObject* key, Py_hash_t hash, PyObject* value,
                                         const ReadyValue& ready, Sighting* inserted_at) {
  Scratch canonical;
  Scratch face;
  const bool is_simple = PyUnicode_CheckExact(key) || PyLong_CheckExact(key);
  if (!is_simple || ready.staged.size() != 0) return Answer::no;
  if (encode_key(session->module->convert, key, &canonical, &face) == KeyKind::error) return Answer::error;
  Sighting seen;
  const Status status = session->engine.try_put(Key{canonical.bytes()}, ready.bytes, &seen);
  if (status.code() == Code::lock_busy) return Answer::no;
  if (!status) return raise_status(session, status), Answer::error;
  const bool inserted = seen.born == seen.sequence;
  if (inserted) ++session->size_changes;
  if (inserted && inserted_at != nullptr) *inserted_at = seen;
  session->cache.insert(hash, key, inserted, value_to_keep(session, value), seen, canonical.size() + ready.size);
  return Answer::yes;
}

bool store_probed(Session* session, PyObject* key, Py_hash_t hash, PyObject* value, ReadyValue& ready,
                  Sighting* inserted_at) {
  Probe probe(session);
  if (!probe) return false;
  probe.key = key;
  probe.kind = encode_key(session->module->convert, key, &probe.canonical, &probe.face);
  if (probe.kind == KeyKind::error) return false;
  LockForWrite lock(session);
  SettledKey settled;
  if (!lock.acquire() || !put_under_lock(&probe, &lock, ready, &settled)) return false;
  lock.release();
  if (inserted_at != nullptr && probe.seen.born == probe.seen.sequence) *inserted_at = probe.seen;
  remember_written(&probe, hash, value, ready.size);
  return true;
}

}  // namespace

bool make_ready(Session* session, const Encoded& encoded, ReadyValue* ready) {
  ready->size = encoded.size();
  ready->bytes = encoded.head.bytes();
  if (!encoded.is_large()) return true;
  const std::vector<Bytes> parts = encoded.parts();
  Status status;
  {
    const GilReleased released;
    status = session->engine.stage(parts, &ready->staged);
  }
  if (!status) return raise_status(session, status), false;
  if (!session->closed) return true;
  return raise_closed(session->module, session->name), false;
}

bool store_short(Session* session, PyObject* key, Py_hash_t hash, PyObject* value) {
  if (!session->serializer.is_default || !session->held.empty() || session->has_chores()) return false;
  char bytes[short_value_max];
  const char* const end = write_short(value, bytes);
  if (end == nullptr) return false;
  Cache& cache = session->cache;
  Cache::Item* const item = cache.find_fast(hash, key);
  if (item == nullptr || !cache.entry_known(*item) || item->value == nullptr || !is_simple(item->value)) return false;
  Sighting seen = cache.sighting(*item);
  if (!session->engine.try_put_at(&seen, Bytes(bytes, static_cast<std::size_t>(end - bytes)))) return false;
  if (same_size(value, item->value)) {
    cache.replace_value(*item, value, seen);
  } else {
    cache.renew(*item, value, seen, static_cast<std::size_t>(end - bytes));
    session->family->settle();
  }
  return true;
}

bool store_value(Session* session, PyObject* key, Py_hash_t hash, PyObject* value, ReadyValue& ready,
                 Sighting* inserted) {
  std::uint32_t number = 0;
  const int known = session->cache.find(hash, key, &number);
  if (known < 0) return false;
  if (known != 0 && session->cache.entry_known(session->cache.item(number))) {
    const Answer found = overwrite_item(session, number, value, ready);
    if (found != Answer::no) return found == Answer::yes;
  }
  if (known == 0) {
    const Answer stored = store_new_plain(session, key, hash, value, ready, inserted);
    if (stored != Answer::no) return stored == Answer::yes;
  }
  return store_probed(session, key, hash, value, ready, inserted);
}

bool erase_seen(Session* session, const Sighting& seen) {
  const Status status = session->engine.erase_at(seen);
  if (!status) return raise_status(session, status), false;
  --session->size_changes;
  const std::uint32_t number = session->cache.find_entry(seen);
  if (number != Cache::none) session->cache.remove(number);
  return true;
}

namespace {

Answer erase_found(Session* session, PyObject* key, Py_hash_t hash) {
  LockForWrite lock(session);
  if (!lock.acquire()) return Answer::error;
  std::uint32_t number = 0;
  const int known = session->cache.find(hash, key, &number);
  if (known < 0) return Answer::error;
  if (known != 0 && session->engine.has_lock()) {
    Cache::Item& item = session->cache.item(number);
    if (session->cache.entry_known(item) && session->engine.erase_at(session->cache.sighting(item))) {
      --session->size_changes;
      session->cache.remove(number);
      return Answer::yes;
    }
  }
  Probe probe(session);
  if (!probe) return Answer::error;
  probe.key = key;
  for (;;) {
    const Answer found = find_stored(&probe);
    if (found != Answer::yes) return found;
    if (session->engine.has_lock()) return erase_seen(session, probe.seen) ? Answer::yes : Answer::error;
    if (!lock.regain()) return Answer::error;  // comparing has forked: in the child others may erase it
  }
}

}  // namespace

Answer erase_key(Session* session, PyObject* key, Py_hash_t hash) {
  const Answer found = erase_found(session, key, hash);
  if (found == Answer::yes) session->exotic.forget(session, key);  // nothing is compared with it any more
  return found;
}

}  // namespace ultradict::python
