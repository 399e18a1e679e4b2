// SPDX-License-Identifier: Apache-2.0
// Every key and value is encoded into one arena before the lock is taken; offsets become pointers when it no longer
// grows.
//
// In a dict with recurse=True a plain dict among the values becomes a nested one, and so do those in it. They are built
// where nobody sees them, and appear with the one commit that stores the items.
#include "store_all.h"

#include <deque>
#include <unordered_map>
#include <vector>

#include "locking.h"
#include "lookup.h"
#include "nested.h"
#include "store_one.h"

namespace ultradict::python {

namespace {

struct Range {
  std::size_t begin = 0;
  std::size_t size = 0;
};

struct PlannedItem {
  PyObject* key;  // borrowed from the source
  KeyKind kind;
  Range canonical;
  Range face;
  Range value = {};
  PyObject* held = nullptr;    // the value, borrowed likewise, if handles were pickled in it
  std::size_t dict = 0;        // the value is this planned dict
  ChildId linked = {};         // the value is this nested dict, which exists
  std::uint64_t sequence = 0;  // of the change that stored it, in a new nested dict
  SettledKey settled = {};
};

struct PlannedDict {
  Ref items;  // an exact dict that nobody else changes
  std::vector<PlannedItem> planned = {};
};

class Plan {
 public:
  explicit Plan(Session* session) : session_(session) {}

  bool encode(PyObject* items) {
    dicts_.push_back({Ref::share(items)});
    for (std::size_t number = 0; number < dicts_.size(); ++number) {
      if (!encode_items(number)) return false;
    }
    return true;
  }

  bool store() { return store_locked() && leave_estates() && drop_handles(); }

 private:
  static constexpr std::size_t copy_with_gil_size_max = 1 << 20;

  bool store_locked() {
    LockForWrite lock(session_);
    if (!lock.acquire()) return false;
    if (!settle_keys()) return false;
    const std::uint64_t before = session_->engine.count();
    const Status status = dicts_.size() > 1 ? put_with_children() : put_all();
    if (!status) return raise_status(session_, status), false;
    session_->size_changes += static_cast<std::int64_t>(session_->engine.count() - before);
    return remember_exotic() && hold_values();
  }

  bool add(Bytes bytes, Range* range) {
    *range = {arena_.size(), bytes.size()};
    return bytes.empty() || arena_.append(bytes);
  }
  Bytes at(const Range& range) const { return {arena_.data() + range.begin, range.size}; }
  Key key_of(const PlannedItem& item) const { return {at(item.canonical), at(item.face), item.settled.exotic}; }

  bool encode_items(std::size_t number) {
    const Ref items = dicts_[number].items.copy();
    dicts_[number].planned.reserve(static_cast<std::size_t>(PyDict_GET_SIZE(items.get())));
    PyObject *key = nullptr, *value = nullptr;
    for (Py_ssize_t position = 0; PyDict_Next(items.get(), &position, &key, &value) != 0;) {
      PlannedItem item{};
      if (!encode_item(key, value, number != 0, &item)) return false;
      dicts_[number].planned.push_back(item);
    }
    return true;
  }

  bool encode_item(PyObject* key, PyObject* value, bool is_nested, PlannedItem* item) {
    Scratch face;
    ConvertState& convert = session_->module->convert;
    item->key = key;
    item->kind = encode_key(convert, key, &scratch_, &face);
    if (item->kind == KeyKind::error) return false;
    // In a new dict no other key can be equal.
    item->settled.exotic = is_nested && item->kind != KeyKind::plain;
    if (item->settled.exotic && !encode_exotic_key(convert, key, &scratch_, &face)) return false;
    if (!add(scratch_.bytes(), &item->canonical) || !add(face.bytes(), &item->face)) return false;
    switch (nested_kind(session_, value)) {
      case NestedKind::none:
        return encode_ordinary(value, item);
      case NestedKind::plain:
        return plan_dict(Ref::share(value), &item->dict);
      case NestedKind::own:
        return linked_child(value, &item->linked);
      case NestedKind::foreign:
        return plan_dict(deep_copy(value), &item->dict);
    }
    return false;
  }

  bool encode_ordinary(PyObject* value, PlannedItem* item) {
    const std::uint64_t handles_before = session_->module->handles_pickled;
    if (!encode_value(value, session_->serializer, &scratch_)) return false;
    if (session_->module->handles_pickled != handles_before) item->held = value;
    return add(scratch_.bytes(), &item->value);
  }

  // A dict that occurs twice becomes one, with two keys that refer to it.
  bool plan_dict(const Ref& source, std::size_t* number) {
    if (!source) return false;
    const auto [known, is_new] = numbers_.try_emplace(source.get(), dicts_.size());
    *number = known->second;
    if (!is_new) return true;
    sources_.push_back(source.copy());
    dicts_.push_back({Ref::steal(PyDict_Copy(source.get()))});
    return static_cast<bool>(dicts_.back().items);
  }

  // Which stored key each key is: the question that only Python can answer, for all but plain keys among plain ones.
  bool settle_keys() {
    for (PlannedItem& item : dicts_[0].planned) {
      if (item.kind == KeyKind::plain && session_->engine.exotic_count() == 0) continue;
      Probe probe(session_);
      if (!probe) return false;
      probe.key = item.key;
      if (!settle_key(&probe, &item.settled)) return false;
      if (!add(probe.canonical.bytes(), &item.canonical) || !add(probe.face.bytes(), &item.face)) return false;
    }
    return true;
  }

  Status put_with_children() {
    ChildBuilder builder(session_->engine);
    if (!builder.status()) return Status(builder.status().code(), builder.status().message());
    children_.resize(dicts_.size());
    for (std::size_t number = 1; number < dicts_.size(); ++number) {
      if (Status status = builder.make(&children_[number]); !status) return status;
    }
    for (std::size_t number = 1; number < dicts_.size(); ++number) {
      if (Status status = fill(children_[number], dicts_[number].planned); !status) return status;
    }
    return put_all();
  }

  Status fill(Dict& child, std::vector<PlannedItem>& planned) {
    for (PlannedItem& item : planned) {
      Sighting written;
      if (Status status = put(child, item, &written); !status) return status;
      item.sequence = written.sequence;
    }
    return {};
  }

  Status put(Dict& child, const PlannedItem& item, Sighting* written) const {
    const ChildId id = child_of(item);
    if (id.number == 0) return child.put(key_of(item), at(item.value), written);
    Dict linked;
    if (Status status = child.open_child(id, &linked); !status) return status;
    return child.put_child(key_of(item), linked, written);
  }

  ChildId child_of(const PlannedItem& item) const {
    return item.dict != 0 ? children_[item.dict].child_id() : item.linked;
  }

  std::vector<Item> engine_items() const {
    std::vector<Item> items;
    items.reserve(dicts_[0].planned.size());
    for (const PlannedItem& item : dicts_[0].planned) items.push_back({key_of(item), at(item.value), child_of(item)});
    return items;
  }

  Status put_all() {
    const std::vector<Item> items = engine_items();
    if (arena_.size() <= copy_with_gil_size_max) return session_->engine.put_all(items);
    const GilReleased released;
    return session_->engine.put_all(items);
  }

  bool remember_exotic() {
    for (const PlannedItem& item : dicts_[0].planned) {
      if (item.settled.exists || !item.settled.exotic) continue;
      if (!session_->exotic.add(item.key, at(item.canonical))) return false;
    }
    return true;
  }

  // What the handles of the new nested dicts must know from the first.
  bool leave_estates() {
    for (std::size_t number = 1; number < dicts_.size(); ++number) {
      Family::Estate estate;
      for (const PlannedItem& item : dicts_[number].planned) {
        if (!add_to(&estate, item)) return false;
      }
      session_->family->leave(session_, children_[number].child_id(), std::move(estate));
    }
    return true;
  }

  bool add_to(Family::Estate* estate, const PlannedItem& item) const {
    if (item.settled.exotic) {
      if (!estate->exotic) estate->exotic = Ref::steal(PyDict_New());
      const Bytes form = at(item.canonical);
      const Ref canonical = Ref::steal(PyBytes_FromStringAndSize(form.data(), static_cast<Py_ssize_t>(form.size())));
      if (!estate->exotic || !canonical) return false;
      if (PyDict_SetItem(estate->exotic.get(), canonical.get(), item.key) < 0) return false;
    }
    if (item.held == nullptr) return true;
    if (!estate->held) estate->held = Ref::steal(PyDict_New());
    return estate->held && HeldValues::add(estate->held.get(), item.key, item.sequence, item.held);
  }

  // Of nested dicts that the keys referred to before: they hold values for dicts that may be gone.
  bool drop_handles() {
    if (!session_->hands_out_children) return true;
    for (const PlannedItem& item : dicts_[0].planned) {
      std::uint32_t number = 0;
      const Py_hash_t hash = PyObject_Hash(item.key);
      const int known = hash == -1 ? -1 : session_->cache.find(hash, item.key, &number);
      if (known < 0) return false;
      if (known != 0 && !session_->cache.current(session_->cache.item(number))) session_->cache.remove(number);
    }
    return true;
  }

  bool hold_values() {
    for (const PlannedItem& item : dicts_[0].planned) {
      if (item.held == nullptr) {
        session_->held.let_go(session_, item.key);
      } else if (!session_->held.keep(session_, item.key, item.held)) {
        return false;
      }
    }
    return true;
  }

  Session* session_;
  Scratch scratch_;
  Scratch arena_;
  std::deque<PlannedDict> dicts_;  // 0: the items themselves
  std::unordered_map<PyObject*, std::size_t> numbers_;
  std::vector<Ref> sources_;  // what numbers_ points to
  std::vector<Dict> children_;
};

}  // namespace

bool store_all(Session* session, PyObject* items) {
  if (PyDict_GET_SIZE(items) == 0) return true;
  const Use use(session);
  try {
    Plan plan(session);
    return plan.encode(items) && plan.store();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
    return false;
  }
}

}  // namespace ultradict::python
