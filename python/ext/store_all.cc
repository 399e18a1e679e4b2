// SPDX-License-Identifier: Apache-2.0
// Every key and value is encoded into one arena before the lock is taken; offsets become pointers when it no longer
// grows.
#include "store_all.h"

#include <vector>

#include "locking.h"
#include "lookup.h"
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
  Range value;
  SettledKey settled = {};
};

class Plan {
 public:
  explicit Plan(Session* session) : session_(session), scratch_(session->module->spare_scratch) {}

  bool encode(PyObject* items) {
    if (!scratch_) return false;
    planned_.reserve(static_cast<std::size_t>(PyDict_GET_SIZE(items)));
    PyObject *key = nullptr, *value = nullptr;
    for (Py_ssize_t position = 0; PyDict_Next(items, &position, &key, &value) != 0;) {
      if (!encode_item(key, value)) return false;
    }
    return true;
  }

  bool store() {
    LockForWrite lock(session_);
    if (!lock.acquire()) return false;
    if (!settle_keys()) return false;
    const std::vector<Item> items = engine_items();
    const std::uint64_t before = session_->engine.count();
    const Status status = put_all(items);
    if (!status) return raise_status(session_, status), false;
    session_->size_changes += static_cast<std::int64_t>(session_->engine.count() - before);
    return remember_exotic();
  }

 private:
  static constexpr std::size_t copy_with_gil_size_max = 1 << 20;

  bool add(Bytes bytes, Range* range) {
    *range = {arena_.size(), bytes.size()};
    return bytes.empty() || arena_.append(bytes);
  }
  Bytes at(const Range& range) const { return {arena_.data() + range.begin, range.size}; }

  bool encode_item(PyObject* key, PyObject* value) {
    const Lease<Scratch> face(session_->module->spare_scratch);
    if (!face) return false;
    PlannedItem item{key, encode_key(session_->module->convert, key, scratch_.get(), face.get()), {}, {}, {}};
    if (item.kind == KeyKind::error) return false;
    if (!add(scratch_->bytes(), &item.canonical) || !add(face->bytes(), &item.face)) return false;
    if (!encode_value(value, session_->serializer, scratch_.get()) || !add(scratch_->bytes(), &item.value))
      return false;
    planned_.push_back(item);
    return true;
  }

  // Which stored key each key is: the question that only Python can answer, for all but plain keys among plain ones.
  bool settle_keys() {
    for (PlannedItem& item : planned_) {
      if (item.kind == KeyKind::plain && session_->engine.exotic_count() == 0) continue;
      Probe probe(session_);
      if (!probe) return false;
      probe.key = item.key;
      if (!settle_key(&probe, &item.settled)) return false;
      if (!add(probe.canonical->bytes(), &item.canonical) || !add(probe.face->bytes(), &item.face)) return false;
    }
    return true;
  }

  std::vector<Item> engine_items() const {
    std::vector<Item> items;
    items.reserve(planned_.size());
    for (const PlannedItem& item : planned_) {
      items.push_back({Key{at(item.canonical), at(item.face), item.settled.exotic}, at(item.value)});
    }
    return items;
  }

  Status put_all(const std::vector<Item>& items) {
    if (arena_.size() <= copy_with_gil_size_max) return session_->engine.put_all(items);
    const GilReleased released;
    return session_->engine.put_all(items);
  }

  bool remember_exotic() {
    for (const PlannedItem& item : planned_) {
      if (item.settled.exists || !item.settled.exotic) continue;
      if (!session_->exotic.add(item.key, at(item.canonical))) return false;
    }
    return true;
  }

  Session* session_;
  Lease<Scratch> scratch_;
  Scratch arena_;
  std::vector<PlannedItem> planned_;
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
