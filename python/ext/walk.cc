// SPDX-License-Identifier: Apache-2.0
// Walk, the part that is not on the way of what the cache has. A key that is deleted between the cursor's step and the
// look at its value was not there throughout: it is skipped.
#include "walk.h"

#include "errors.h"
#include "lookup.h"

namespace ultradict::python {

// What is ahead counts only for the table it was seen in: that of the cache, whose words stay mapped.
Walk::Step Walk::look_ahead() {
  next_ = count_ = 0;
  const Status status = cursor_.next_some(ahead_, &count_, &table_number_);
  if (status.code() == Code::not_found) return Step::end;
  if (!status) return raise_status(session_, status), Step::error;
  session_->cache.follow_table(session_->engine.table_word(), table_number_);
  return Step::item;
}

Walk::Step Walk::refreshed(Part part, std::uint32_t number, Passed passed, Ref* key, Ref* value) {
  const std::uint64_t table_number = table_number_;
  *value = Ref::steal(refresh_item(session_, number));
  if (*value) return Step::item;
  return PyErr_Occurred() != nullptr ? Step::error : from_store(part, passed, table_number, key, value);
}

Walk::Step Walk::from_store(Part part, Passed passed, std::uint64_t table_number, Ref* key, Ref* value) {
  Sighting seen;
  seen.ref_word = passed.ref_word;
  seen.table_word = &session_->engine.table_word();
  seen.table_number = table_number;
  seen.born = passed.born;
  seen.entry = passed.entry;
  for (Looks looks(session_); looks.begin();) {
    bool replaced = false;
    const Step step = read(part, seen, key, value, &replaced);
    if (!replaced) return step;
    if (looks.is_last()) return raise_unfetched(session_), Step::error;
  }
  return Step::error;
}

// `replaced`: the key was there, and has another value now.
Walk::Step Walk::read(Part part, Sighting seen, Ref* key, Ref* value, bool* replaced) {
  const Lease<Buffer> buffer(session_->module->spare_buffer);
  if (!buffer) return Step::error;
  const std::uint64_t born = seen.born;
  Record record;
  bool moved = false;
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
  *replaced = PyErr_Occurred() == nullptr;
  return *replaced ? Step::end : Step::error;
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
  if (known < 0) forgive_raised();
  return Step::item;
}

}  // namespace ultradict::python
