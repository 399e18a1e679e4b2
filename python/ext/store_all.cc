// SPDX-License-Identifier: Apache-2.0
// Every key and value is encoded before the lock is taken.
//
// In a dict with recurse=True a plain dict among the values becomes a nested one, and so do those in it. They are built
// where nobody sees them, and appear with the one commit that stores the items.
#include "store_all.h"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <vector>

#include "arena.h"
#include "locking.h"
#include "lookup.h"
#include "nested.h"
#include "same_key.h"
#include "store_one.h"

namespace ultradict::python {

namespace {

// What must be known of an item beyond what the engine is given: of few of them anything.
struct Special {
  std::size_t number;  // of the item
  PyObject* key;       // borrowed from the source
  KeyKind kind;
  PyObject* held = nullptr;    // the value, borrowed likewise, if handles were pickled in it
  std::size_t dict = 0;        // the value is this planned dict
  std::uint64_t sequence = 0;  // of the change that stored it, in a new nested dict
  SettledKey settled = {};
};

struct PlannedDict {
  Ref source;                          // an exact dict that nobody else changes
  std::vector<Item> items = {};        // of each of its items, in its order
  std::vector<Special> specials = {};  // in the same order
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

  // Of a dict that others may change as soon as Python code runs: only while it holds nothing but plain keys and
  // scalars.
  Answer encode_scalars(PyObject* source) {
    PlannedDict& dict = dicts_.emplace_back();
    dict.items.reserve(static_cast<std::size_t>(PyDict_GET_SIZE(source)));
    PyObject *key = nullptr, *value = nullptr;
    for (Py_ssize_t position = 0; PyDict_Next(source, &position, &key, &value) != 0;) {
      if (!is_plain_key(key) || !is_scalar(value)) return Answer::no;
      Special special{0, key, KeyKind::error};
      Item& item = dict.items.emplace_back();
      if (!encode_key_of(false, &item, &special) || !encode_ordinary(value, &item, &special)) return Answer::error;
    }
    return Answer::yes;
  }

  Answer store_scalars() {
    LockForWrite lock(session_);
    if (!lock.acquire()) return Answer::error;
    if (session_->engine.exotic_count() != 0) return Answer::no;
    return put_items() ? Answer::yes : Answer::error;
  }

 private:
  bool store_locked() {
    LockForWrite lock(session_);
    if (!lock.acquire()) return false;
    return settle_for_good(&lock) && put_items() && hold_values();
  }

  bool settle_for_good(LockForWrite* lock) {
    if (are_all_plain()) return true;
    for (int tries = 0; tries < Undisturbed::tries_max; ++tries) {
      if (!lock->regain()) return false;
      const Undisturbed undisturbed(session_);
      if (!settle_keys() || !add_new_exotic()) return false;
      if (undisturbed.holds()) return true;
      take_back_new_exotic();
    }
    return Undisturbed::raise_endless();
  }

  bool put_items() {
    const std::uint64_t before = session_->engine.count();
    const Status status = dicts_.size() > 1 ? put_with_children() : put_all();
    if (!status) return raise_status(session_, status), false;
    session_->size_changes += static_cast<std::int64_t>(session_->engine.count() - before);
    return true;
  }

  // Encoding these runs no Python code, nor the collector, which might.
  static bool is_short_integer(PyObject* object) {
    long small = 0;
    int overflow = 0;
    if (!PyLong_CheckExact(object)) return false;
    return small_int(object, &small) || (PyLong_AsLongLongAndOverflow(object, &overflow), overflow == 0);
  }
  static bool is_plain_key(PyObject* key) { return PyUnicode_CheckExact(key) || is_short_integer(key); }
  static bool is_scalar(PyObject* value) {
    return is_short_integer(value) || PyUnicode_CheckExact(value) || PyFloat_CheckExact(value) || value == Py_None ||
           PyBool_Check(value) || PyBytes_CheckExact(value);
  }

  bool encode_items(std::size_t number) {
    const Ref source = dicts_[number].source.copy();
    dicts_[number].items.reserve(static_cast<std::size_t>(PyDict_Size(source.get())));
    PyObject *key = nullptr, *value = nullptr;
    for (Py_ssize_t position = 0; PyDict_Next(source.get(), &position, &key, &value) != 0;) {
      Special special{dicts_[number].items.size(), key, KeyKind::error};
      Item& item = dicts_[number].items.emplace_back();
      if (!encode_key_of(number != 0, &item, &special) || !encode_value_of(value, &item, &special)) return false;
      const bool is_special = special.kind != KeyKind::plain || special.held != nullptr || special.dict != 0;
      if (is_special) dicts_[number].specials.push_back(special);
    }
    return true;
  }

  bool encode_key_of(bool is_nested, Item* item, Special* special) {
    ConvertState& convert = session_->module->convert;
    special->kind = encode_key(convert, special->key, &scratch_, &face_);
    if (special->kind == KeyKind::error) return false;
    // In a new dict no other key can be equal. Else it is pickled when it is known to be new: see settle.
    special->settled.exotic = is_nested && is_exotic(special->kind);
    const bool needs_face = is_nested && special->kind == KeyKind::plain_like;
    if (special->settled.exotic && !encode_exotic_key(convert, special->key, &scratch_, &face_)) return false;
    if (needs_face && !encode_face(convert, special->key, &face_)) return false;
    item->key.canonical = arena_.add(scratch_.bytes());
    item->key.face = arena_.add(face_.bytes());
    item->key.exotic = special->settled.exotic;
    return true;
  }

  bool encode_value_of(PyObject* value, Item* item, Special* special) {
    switch (nested_kind(session_, value)) {
      case NestedKind::none:
        return encode_ordinary(value, item, special);
      case NestedKind::plain:
        return plan_dict(Ref::share(value), &special->dict);
      case NestedKind::own:
        return linked_child(value, &item->child);
      case NestedKind::foreign:
        return plan_dict(deep_copy(value), &special->dict);
    }
    return false;
  }

  bool encode_ordinary(PyObject* value, Item* item, Special* special) {
    const std::uint64_t handles_before = session_->module->handles_pickled;
    if (!encode_value(value, session_->serializer, &encoded_)) return false;
    if (session_->module->handles_pickled != handles_before) special->held = value;
    item->value = encoded_.is_large() ? arena_.add(encoded_.parts()) : arena_.add(encoded_.head.bytes());
    encoded_.clear();
    return true;
  }

  // A dict that occurs twice becomes one, with two keys that refer to it.
  bool plan_dict(const Ref& source, std::size_t* number) {
    if (!source) return false;
    const auto [known, is_new] = numbers_.try_emplace(source.get(), dicts_.size());
    *number = known->second;
    if (!is_new) return true;
    sources_.push_back(source.copy());
    dicts_.push_back({Ref::steal(PyDict_Copy(source.get()))});
    return static_cast<bool>(dicts_.back().source);
  }

  // Calls visit(key, item, special or null) for each item of the dict to be changed, until it answers false.
  template <typename Visit>
  bool for_each(const Visit& visit) {
    PlannedDict& dict = dicts_[0];
    auto special = dict.specials.begin();
    PyObject *key = nullptr, *value = nullptr;
    Py_ssize_t position = 0;
    for (std::size_t number = 0; PyDict_Next(dict.source.get(), &position, &key, &value) != 0; ++number) {
      const bool is_special = special != dict.specials.end() && special->number == number;
      if (!visit(key, dict.items[number], is_special ? &*special : nullptr)) return false;
      if (is_special) ++special;
    }
    return true;
  }

  // Which stored key each key is: the question that only Python can answer, for all but plain keys among plain ones.
  bool are_all_plain() {
    return session_->engine.exotic_count() == 0 && std::ranges::all_of(dicts_[0].specials, [](const Special& special) {
             return special.kind == KeyKind::plain;
           });
  }

  bool settle_keys() {
    return for_each([&](PyObject* key, Item& item, Special* special) {
      const bool is_plain = special == nullptr || special->kind == KeyKind::plain;
      return (is_plain && session_->engine.exotic_count() == 0) || settle(key, &item, special);
    });
  }

  bool settle(PyObject* key, Item* item, Special* special) {
    Probe probe(session_);
    if (!probe) return false;
    probe.key = key;
    SettledKey settled;
    PickledForm form;
    const bool is_plain = special == nullptr || special->kind == KeyKind::plain;
    const bool is_made = !is_plain && is_pickled(item->key.face) && !special->settled.exists;
    if (is_made && !(form.canonical.append(item->key.canonical) && form.face.append(item->key.face))) return false;
    if (!settle_key(&probe, &form, &settled)) return false;
    item->key = {arena_.add(probe.canonical.bytes()), arena_.add(probe.face.bytes()), settled.exotic};
    if (special != nullptr) special->settled = settled;
    return true;
  }

  Status put_with_children() {
    ChildBuilder builder(session_->engine);
    if (!builder.status()) return Status(builder.status().code(), builder.status().message());
    children_.resize(dicts_.size());
    for (std::size_t number = 1; number < dicts_.size(); ++number) {
      if (Status status = builder.make(&children_[number]); !status) return status;
    }
    for (PlannedDict& dict : dicts_) {
      for (const Special& special : dict.specials) {
        if (special.dict != 0) dict.items[special.number].child = children_[special.dict].child_id();
      }
    }
    for (std::size_t number = 1; number < dicts_.size(); ++number) {
      if (Status status = fill(children_[number], dicts_[number]); !status) return status;
    }
    return put_all();
  }

  static Status fill(Dict& child, PlannedDict& dict) {
    auto special = dict.specials.begin();
    for (std::size_t number = 0; number < dict.items.size(); ++number) {
      Sighting written;
      if (Status status = put(child, dict.items[number], &written); !status) return status;
      if (special == dict.specials.end() || special->number != number) continue;
      (special++)->sequence = written.sequence;
    }
    return {};
  }

  static Status put(Dict& child, const Item& item, Sighting* written) {
    if (item.child.number == 0) return child.put(item.key, item.value, written);
    Dict linked;
    if (Status status = child.open_child(item.child, &linked); !status) return status;
    return child.put_child(item.key, linked, written);
  }

  Status put_all() {
    if (arena_.size() <= copy_with_gil_size_max) return session_->engine.put_all(dicts_[0].items);
    const GilReleased released;
    return session_->engine.put_all(dicts_[0].items);
  }

  bool add_new_exotic() {
    for (const Special& special : dicts_[0].specials) {
      if (special.settled.exists || !special.settled.exotic) continue;
      if (!session_->exotic.add(special.key, dicts_[0].items[special.number].key.canonical)) return false;
    }
    return true;
  }

  void take_back_new_exotic() {
    for (const Special& special : dicts_[0].specials) {
      if (special.settled.exists || !special.settled.exotic) continue;
      session_->exotic.take_back(dicts_[0].items[special.number].key.canonical);
    }
  }

  // What the handles of the new nested dicts must know from the first.
  bool leave_estates() {
    for (std::size_t number = 1; number < dicts_.size(); ++number) {
      Family::Estate estate;
      for (const Special& special : dicts_[number].specials) {
        if (!add_to(&estate, special, dicts_[number].items[special.number].key.canonical)) return false;
      }
      session_->family->leave(session_, children_[number].child_id(), std::move(estate));
    }
    return true;
  }

  static bool add_to(Family::Estate* estate, const Special& special, Bytes form) {
    if (special.settled.exotic) {
      if (!estate->exotic) estate->exotic = Ref::steal(PyDict_New());
      const Ref canonical = bytes_object(form);
      if (!estate->exotic || !canonical) return false;
      if (PyDict_SetItem(estate->exotic.get(), canonical.get(), special.key) < 0) return false;
    }
    if (special.held == nullptr) return true;
    if (!estate->held) estate->held = Ref::steal(PyDict_New());
    return estate->held && HeldValues::add(estate->held.get(), special.key, special.sequence, special.held);
  }

  // Of nested dicts that the keys referred to before: they hold values for dicts that may be gone.
  bool drop_handles() {
    if (!session_->hands_out_handles) return true;
    return for_each([&](PyObject* key, const Item&, const Special*) {
      std::uint32_t number = 0;
      const Py_hash_t hash = PyObject_Hash(key);
      const int known = hash == -1 ? -1 : session_->cache.find(hash, key, &number);
      if (known > 0 && !session_->cache.current(session_->cache.item(number))) session_->cache.remove(number);
      return known >= 0;
    });
  }

  bool hold_values() {
    const bool any =
        std::ranges::any_of(dicts_[0].specials, [](const Special& special) { return special.held != nullptr; });
    if (!any && session_->held.empty()) return true;
    return for_each([&](PyObject* key, const Item&, const Special* special) {
      if (special != nullptr && special->held != nullptr) return session_->held.keep(session_, key, special->held);
      session_->held.let_go(session_, key);
      return true;
    });
  }

  Session* session_;
  Scratch scratch_;
  Scratch face_;
  Encoded encoded_;
  Arena arena_;
  std::deque<PlannedDict> dicts_;  // 0: the items themselves
  std::unordered_map<PyObject*, std::size_t> numbers_;
  std::vector<Ref> sources_;  // what numbers_ points to
  std::vector<Dict> children_;
};

}  // namespace

Answer store_scalars(Session* session, PyObject* source) {
  const bool is_simple = session->serializer.is_default && session->held.empty() && !session->hands_out_handles;
  if (!is_simple || session->engine.exotic_count() != 0) return Answer::no;
  Plan plan(session);
  const Answer encoded = plan.encode_scalars(source);
  return encoded == Answer::yes ? plan.store_scalars() : encoded;
}

bool store_all(Session* session, PyObject* items) {
  if (PyDict_GET_SIZE(items) == 0) return true;
  const Use use(session);
  Plan plan(session);
  return plan.encode(items) && plan.store();
}

}  // namespace ultradict::python
