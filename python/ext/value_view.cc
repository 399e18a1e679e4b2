// SPDX-License-Identifier: Apache-2.0
#include "value_view.h"

#include <algorithm>
#include <new>

#include "convert_pickle.h"
#include "dict_object.h"
#include "lookup.h"
#include "ultradict/wire.h"

namespace ultradict::python {

const MappedView* MappedViews::find(const Sighting& seen) const noexcept {
  const auto is_same = [&](const MappedView& view) {
    return view.seen.entry == seen.entry && view.seen.sequence == seen.sequence &&
           view.seen.table_number == seen.table_number;
  };
  const auto found = std::find_if(views_.rbegin(), views_.rend(), is_same);
  return found != views_.rend() ? &*found : nullptr;
}

void MappedViews::add(MappedView view) {
  MappedView oldest;  // goes when all is in order: what goes with it may use the handle
  if (views_.size() == count_max) {
    oldest = std::move(views_.front());
    views_.erase(views_.begin());
  }
  views_.push_back(std::move(view));
}

// Those that go do so when all is in order: what goes with them may use the handle.
void MappedViews::drop_old() noexcept {
  const auto is_current = [](const MappedView& view) { return view.seen.current(); };
  if (std::all_of(views_.begin(), views_.end(), is_current)) return;
  std::vector<MappedView> kept;
  kept.swap(views_);
  for (MappedView& view : kept) {
    if (is_current(view)) keep(std::move(view));
  }
}

void MappedViews::keep(MappedView view) noexcept try {
  views_.push_back(std::move(view));
} catch (const std::bad_alloc&) {  // it is mapped again when it is asked for
}

namespace {

const char* kind_of(Tag tag) {
  switch (tag) {
    case Tag::none:
      return "None";
    case Tag::no:
    case Tag::yes:
      return "a bool";
    case Tag::int64:
    case Tag::big_int:
      return "an int";
    case Tag::float64:
      return "a float";
    case Tag::ascii:
    case Tag::text:
      return "a str";
    case Tag::tuple:
      return "a tuple";
    case Tag::list:
      return "a list";
    case Tag::dict:
      return "a dict";
    case Tag::foreign_bytes:
    case Tag::foreign_text:
      return "encoded by the dict's serializer";
    default:
      return "pickled without buffers of its own (an array has them if its class is numpy.ndarray itself and it is "
             "contiguous, and not of dates or objects)";
  }
}

PyObject* raise_no_buffer(PyObject* key, const char* kind) {
  return PyErr_Format(PyExc_TypeError, "the value of key %R is %s: nothing in it can be shared; read it with d[key]",
                      key, kind);
}

bool may_unpickle(const Session* session) {
  return session->serializer.allow_pickle || session->module->convert.raise_pickled_value() != nullptr;
}

PyObject* raise_damaged(const Session* session) {
  return session->module->convert.raise_damaged("the stored bytes of a value are damaged");
}

// A small value: a private copy, as read-only as a shared one.
PyObject* view_of_copy(const Session* session, PyObject* key, Bytes value) {
  const Tag tag = tag_of(value);
  if (is_bytes(tag)) {
    Bytes payload;
    if (!payload_of(value, &payload)) return raise_damaged(session);
    const Ref copy = bytes_object(payload);
    return copy ? PyMemoryView_FromObject(copy.get()) : nullptr;
  }
  if (tag != Tag::pickle_with_buffers) return raise_no_buffer(key, kind_of(tag));
  if (!may_unpickle(session)) return nullptr;
  PickleParts parts;
  if (!split_pickle(value, &parts)) return raise_damaged(session);
  const Ref pickle = bytes_object(parts.pickle);
  const Ref buffers = Ref::steal(PyTuple_New(static_cast<Py_ssize_t>(parts.buffers.size())));
  for (std::size_t i = 0; pickle && buffers && i < parts.buffers.size(); ++i) {
    Ref copy = bytes_object(parts.buffers[i]);
    if (!copy) return nullptr;
    PyTuple_SET_ITEM(buffers.get(), static_cast<Py_ssize_t>(i), copy.release());
  }
  if (!pickle || !buffers) return nullptr;
  return load_with_buffers(session->module->convert, pickle.get(), buffers.get());
}

// Read-only memoryviews of ranges of `value`, which `whole` shows.
Ref views_of(PyObject* whole, Bytes value, const std::vector<Bytes>& ranges) {
  const Ref all = Ref::steal(PyMemoryView_FromObject(whole));
  Ref views = Ref::steal(PyTuple_New(static_cast<Py_ssize_t>(ranges.size())));
  for (std::size_t i = 0; all && views && i < ranges.size(); ++i) {
    const auto begin = ranges[i].data() - value.data();
    Ref part = Ref::steal(PySequence_GetSlice(all.get(), begin, begin + static_cast<Py_ssize_t>(ranges[i].size())));
    if (!part) return Ref();
    PyTuple_SET_ITEM(views.get(), static_cast<Py_ssize_t>(i), part.release());
  }
  return all ? std::move(views) : Ref();
}

// What the first view of a value finds in it. False with an exception.
bool look_into(Session* session, PyObject* key, MappedValue mapped, MappedView* view) {
  const ModuleState* module = session->module;
  const Bytes value = mapped.bytes();
  const Tag tag = tag_of(value);
  if (is_bytes(tag)) {
    Bytes payload;
    if (!payload_of(value, &payload)) return raise_damaged(session), false;
    view->whole = Ref::steal(make_shared_bytes(module, std::move(mapped), payload, session->mapped.pinned()));
    return static_cast<bool>(view->whole);
  }
  if (tag != Tag::pickle_with_buffers) return raise_no_buffer(key, kind_of(tag)), false;
  if (!may_unpickle(session)) return false;
  PickleParts parts;
  if (!split_pickle(value, &parts)) return raise_damaged(session), false;
  const Ref whole = Ref::steal(make_shared_bytes(module, std::move(mapped), value, session->mapped.pinned()));
  if (!whole) return false;
  view->pickle = bytes_object(parts.pickle);
  view->buffers = views_of(whole.get(), value, parts.buffers);
  return view->pickle && view->buffers;
}

// Who is given a memoryview may release it: each has its own.
Ref other_views_of(PyObject* views) {
  const Py_ssize_t count = PyTuple_GET_SIZE(views);
  Ref others = Ref::steal(PyTuple_New(count));
  for (Py_ssize_t i = 0; others && i < count; ++i) {
    Ref other = Ref::steal(PyMemoryView_FromObject(PyTuple_GET_ITEM(views, i)));
    if (!other) return Ref();
    PyTuple_SET_ITEM(others.get(), i, other.release());
  }
  return others;
}

// A copy, because what runs meanwhile may drop the one that is kept.
PyObject* show(const Session* session, MappedView view) {
  if (view.whole) return PyMemoryView_FromObject(view.whole.get());
  const Ref buffers = other_views_of(view.buffers.get());
  return buffers ? load_with_buffers(session->module->convert, view.pickle.get(), buffers.get()) : nullptr;
}

// Null without an exception: overwritten meanwhile.
PyObject* view_of_blob(Session* session, PyObject* key, const Sighting& seen, std::uint64_t size) {
  if (const MappedView* known = session->mapped.find(seen)) return show(session, known->copy());
  MappedValue mapped;
  const Status status = session->engine.map_blob(seen, size, &mapped);
  if (status.code() == Code::changed) return nullptr;
  if (!status) return raise_status(session, status);
  MappedView view{seen, {}, {}, {}};
  if (!look_into(session, key, std::move(mapped), &view)) return nullptr;
  session->mapped.add(view.copy());
  return show(session, std::move(view));
}

PyObject* view_of_key(Session* session, PyObject* key) {
  const Use use(session);
  Probe probe(session);
  if (!probe) return nullptr;
  probe.key = key;
  for (Looks looks(session); looks.begin();) {
    const Answer found = find_stored(&probe);
    if (found == Answer::error) return nullptr;
    if (found == Answer::no) return raise_key_error(key);
    const Record& record = probe.record;
    if (record.child.number != 0) return raise_no_buffer(key, "a nested dict");
    if (!record.is_blob) return view_of_copy(session, key, record.value);
    PyObject* view = view_of_blob(session, key, probe.seen, record.value_size);
    if (view != nullptr || PyErr_Occurred() != nullptr) return view;
    if (looks.is_last()) return raise_unfetched(session);
  }
  return nullptr;
}

}  // namespace

PyObject* dict_view(PyObject* self, PyObject* key) {
  if (PyObject_Hash(key) == -1) return raise_unhashable(key);
  Session* session = open_session(self);
  return session == nullptr ? nullptr : view_of_key(session, key);
}

}  // namespace ultradict::python
