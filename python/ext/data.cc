// SPDX-License-Identifier: Apache-2.0
// Gathering what changed, which may run Python code anywhere, then putting it in place: first what is gone, then what
// is new or overwritten, in the order of insertion. Objects that are replaced die last.
#include "data.h"

#include <algorithm>

#include "dict_object.h"
#include "lookup.h"

namespace ultradict::python {

namespace {

Status changes_of(Session* session, Progress* progress, std::vector<Sighting>* changed) {
  const GilReleased released;  // it may be long, and may wait for the shared lock
  return session->engine.changes(progress, changed);
}

}  // namespace

PyObject* Data::fetch(Session* session) {
  do {
    if (!bring_up_to_date(session)) return nullptr;
  } while (!dict_);  // dropped meanwhile
  return dict_.copy().release();
}

bool Data::bring_up_to_date(Session* session) {
  for (;;) {
    if (dict_ && !session->engine.changed_since(progress_)) return true;
    const std::uint64_t version = version_;
    Gathered gathered;
    if (dict_) gathered.progress = progress_;
    if (!gather(session, &gathered)) return false;
    if (session->closed) return raise_closed(session->module, session->name), false;
    session->cache.follow_table(session->engine.table_word(), gathered.progress.table_number);
    // Otherwise another thread was faster, or a clear() made it a mixture.
    const bool holds = session->engine.table_word().load() == gathered.progress.table_number;
    if (version == version_ && holds) return apply(&gathered);
  }
}

bool Data::gather(Session* session, Gathered* gathered) {
  std::vector<Sighting> changed;
  const Status status = changes_of(session, &gathered->progress, &changed);
  if (status.code() == Code::changed) return gather_all(session, gathered);
  if (!status) return raise_status(session, status), false;
  std::sort(changed.begin(), changed.end(),
            [](const Sighting& left, const Sighting& right) { return left.born < right.born; });
  for (const Sighting& seen : changed) {
    if (!add(session, seen, gathered)) return false;
  }
  return true;
}

bool Data::gather_all(Session* session, Gathered* gathered) {
  gathered->from_scratch = true;
  constexpr std::uint64_t reserved_max = 1 << 20;  // nothing is taken on the word of a count that may be damaged
  gathered->items.reserve(std::min(session->engine.count(), reserved_max));
  Cursor cursor(session->engine);
  for (;;) {
    Sighting seen;
    const Status status = cursor.next(&seen);
    if (status.code() == Code::not_found) return true;
    if (!status) return raise_status(session, status), false;
    if (!add(session, seen, gathered)) return false;
    if (session->closed) return raise_closed(session->module, session->name), false;
  }
}

bool Data::add(Session* session, const Sighting& seen, Gathered* gathered) {
  Item item;
  Step step = Step::gone;
  if (seen.born != 0 && seen.born < gathered->progress.born_end)
    step = read(session, seen, gathered->from_scratch, &item);
  if (step == Step::gone) gathered->gone.push_back(seen.entry);
  if (step == Step::item) gathered->items.push_back(std::move(item));
  return step != Step::error;
}

// The sighting may be older than the changes that are followed by now: what it shows counts only if it is there still.
bool Data::read_cached(Session* session, const Sighting& seen, Item* item) {
  const std::uint32_t number = session->cache.find_entry(seen);
  if (number == Cache::none) return false;
  const Cache::Item& cached = session->cache.item(number);
  PyObject* value = session->cached_value(cached);
  if (!Cache::key_known(cached) || value == nullptr || !session->cache.current(cached)) return false;
  *item = Item{Ref::share(cached.key), Ref::share(value), cached.sequence, seen.born, seen.entry};
  return true;
}

Data::Step Data::read(Session* session, Sighting seen, bool anew, Item* item) {
  const auto found = known_.find(seen.entry);
  const bool is_known = !anew && found != known_.end() && found->second.born == seen.born;
  const std::uint64_t known_sequence = is_known ? found->second.sequence : 0;
  const Ref known_key = is_known ? found->second.key.copy() : Ref();
  if (read_cached(session, seen, item)) return item->sequence == known_sequence ? Step::unchanged : Step::item;
  const Lease<Buffer> buffer(session->module->spare_buffer);
  if (!buffer) return Step::error;
  for (Looks looks(session); looks.begin();) {
    Record record;
    bool moved = false;
    seen.sequence = known_sequence;
    const Status status = session->engine.reread(&seen, buffer.get(), &record, &moved);
    if (status.code() == Code::changed) return Step::gone;  // what became of the entry is a later change
    if (!status) return raise_status(session, status), Step::error;
    if (moved) return Step::unchanged;
    Ref key = is_known ? known_key.copy()
                       : Ref::steal(session->exotic.object_of(session, record.canonical, record.face, record.exotic));
    const Py_hash_t hash = key ? PyObject_Hash(key.get()) : -1;
    if (hash == -1) return Step::error;
    Ref value = Ref::steal(value_of_record(session, key.get(), hash, seen, record, Remember::if_room));
    if (value) {
      *item = Item{std::move(key), std::move(value), seen.sequence, seen.born, seen.entry};
      return Step::item;
    }
    if (PyErr_Occurred() != nullptr) return Step::error;
    if (looks.is_last()) return raise_unfetched(session), Step::error;
  }
  return Step::error;
}

bool Data::apply(Gathered* gathered) {
  std::vector<Ref> replaced;
  ++version_;
  progress_ = Progress();  // until all is in place
  if (!ensure_dict(&dict_)) return false;
  const Ref dict = dict_.copy();  // it may be dropped meanwhile
  std::unordered_map<std::uint32_t, Known> known;
  if (gathered->from_scratch) {
    replaced.push_back(Ref::steal(PyDict_Copy(dict.get())));
    if (!replaced.back()) return false;
    known.swap(known_);
    PyDict_Clear(dict.get());
  }
  // All that goes goes first: the key of an entry that was used again may have come back in another one.
  for (const Item& item : gathered->items) {
    const auto found = known_.find(item.entry);
    if (found != known_.end() && found->second.born != item.born) gathered->gone.push_back(item.entry);
  }
  for (const std::uint32_t entry : gathered->gone) {
    if (!apply_gone(dict.get(), entry, &replaced)) return false;
  }
  for (Item& item : gathered->items) {
    if (!apply_item(dict.get(), &item, &replaced)) return false;
  }
  progress_ = gathered->progress;
  return true;
}

bool Data::apply_gone(PyObject* dict, std::uint32_t entry, std::vector<Ref>* replaced) {
  const auto found = known_.find(entry);
  if (found == known_.end()) return true;
  const Ref key = std::move(found->second.key);
  known_.erase(found);
  PyObject* value = PyDict_GetItemWithError(dict, key.get());
  if (value == nullptr) return PyErr_Occurred() == nullptr;
  replaced->push_back(Ref::share(value));
  return PyDict_DelItem(dict, key.get()) == 0;
}

bool Data::apply_item(PyObject* dict, Item* item, std::vector<Ref>* replaced) {
  PyObject* before = PyDict_GetItemWithError(dict, item->key.get());
  if (before == nullptr && PyErr_Occurred() != nullptr) return false;
  if (before != nullptr) replaced->push_back(Ref::share(before));
  if (PyDict_SetItem(dict, item->key.get(), item->value.get()) < 0) return false;
  Known& known = known_[item->entry];
  replaced->push_back(std::move(known.key));  // what goes with it may drop all that is known
  known = Known{std::move(item->key), item->born, item->sequence};
  return true;
}

void Data::drop() noexcept {
  ++version_;
  progress_ = Progress();
  const Ref dict = std::move(dict_);
  const auto known = std::move(known_);
  known_.clear();
}

int Data::traverse(visitproc visit, void* arg) {
  Py_VISIT(dict_.get());
  for (const auto& [entry, known] : known_) Py_VISIT(known.key.get());
  return 0;
}

PyObject* dict_get_data(PyObject* self, void*) {
  Session* session = glanced_session(self);
  if (session == nullptr) return nullptr;
  const Use use(session);
  return session->data.fetch(session);
}

int dict_set_data(PyObject* self, PyObject* value, void*) {
  Session* session = open_session(self);
  if (session == nullptr) return -1;
  if (value != nullptr && value != Py_None) {
    PyErr_SetString(PyExc_TypeError, "data can only be set to None, which drops it; write to the UltraDict itself");
    return -1;
  }
  const Use use(session);
  session->data.drop();
  return 0;
}

PyObject* dict_apply_update(PyObject* self, PyObject*) {
  Session* session = glanced_session(self);
  if (session == nullptr) return nullptr;
  const Use use(session);
  return session->data.update(session) ? Ref::share(Py_None).release() : nullptr;
}

PyObject* dict_load(PyObject* self, PyObject* arguments, PyObject* keywords) {
  static const char* words[] = {"force", nullptr};
  int force = 0;
  if (PyArg_ParseTupleAndKeywords(arguments, keywords, "|p:load", const_cast<char**>(words), &force) == 0) {
    return nullptr;
  }
  Session* session = glanced_session(self);
  if (session == nullptr) return nullptr;
  const Use use(session);
  if (force != 0) {
    session->cache.clear();
    session->exotic.begin_anew();
    session->data.forget_progress();
  }
  return session->data.update(session) ? Ref::share(Py_None).release() : nullptr;
}

}  // namespace ultradict::python
