// SPDX-License-Identifier: Apache-2.0
// Walk. A key that is deleted between the cursor's step and the look at its value was not there throughout: it is
// skipped.
#include "walk.h"

#include "errors.h"
#include "lookup.h"

namespace ultradict::python {

Walk::Step Walk::next(Part part, Ref* key, Ref* value) {
  const Use use(session_);
  for (;;) {
    Sighting seen;
    const Status status = cursor_.next(&seen);
    if (status.code() == Code::not_found) return Step::end;
    if (!status) return raise_status(session_, status), Step::error;
    // `end` of either half means: not from there.
    Step step = from_cache(part, seen, key, value);
    if (step == Step::end) step = from_store(part, seen, key, value);
    if (step != Step::end) return step;
  }
}

Walk::Step Walk::from_cache(Part part, const Sighting& seen, Ref* key, Ref* value) {
  Cache& cache = session_->cache;
  const std::uint32_t number = cache.find_entry(seen);
  if (number == Cache::none || !Cache::key_known(cache.item(number))) return Step::end;
  Cache::Item& item = cache.item(number);
  if (part != Part::values) *key = Ref::share(item.key);
  if (part == Part::keys) return Step::item;
  if (PyObject* cached = session_->cached_value(item); cached != nullptr && item.ref == seen.ref) {
    *value = Ref::share(cached);
    return Step::item;
  }
  *value = Ref::steal(refresh_item(session_, number));
  if (*value) return Step::item;
  return PyErr_Occurred() != nullptr ? Step::error : Step::end;
}

Walk::Step Walk::from_store(Part part, Sighting seen, Ref* key, Ref* value) {
  const Lease<Buffer> buffer(session_->module->spare_buffer);
  if (!buffer) return Step::error;
  Record record;
  bool moved = false;
  seen.sequence = 0;
  const std::uint64_t born = seen.born;
  const Status status = session_->engine.reread(&seen, buffer.get(), &record, &moved);
  if (status.code() == Code::changed) return Step::end;
  if (!status) return raise_status(session_, status), Step::error;
  seen.born = born;
  *key = Ref::steal(session_->exotic.object_of(session_, record.canonical, record.face, record.exotic));
  if (!*key) return Step::error;
  if (part == Part::keys) return remember_key(seen, record, key->get());
  const Py_hash_t hash = PyObject_Hash(key->get());
  if (hash == -1) return Step::error;
  *value = Ref::steal(value_of_record(session_, key->get(), hash, seen, record, Remember::if_room));
  if (*value) return Step::item;
  return PyErr_Occurred() != nullptr ? Step::error : Step::end;
}

// So that d[k] in a loop over the keys finds its entry at once.
Walk::Step Walk::remember_key(const Sighting& seen, const Record& record, PyObject* key) {
  const std::uint64_t size = record.canonical.size() + record.face.size();
  if (!session_->cache.has_room(size)) return Step::item;
  const Py_hash_t hash = PyObject_Hash(key);
  if (hash == -1) return Step::error;
  std::uint32_t number = 0;
  const int known = session_->cache.find(hash, key, &number);
  if (known == 0) session_->cache.insert(hash, key, true, nullptr, seen, size);
  return known < 0 ? Step::error : Step::item;
}

}  // namespace ultradict::python
