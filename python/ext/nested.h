// SPDX-License-Identifier: Apache-2.0
// Nested dicts as Python sees them: what a value becomes when it is assigned, and the handle that a key gives.
//
// A handle of a nested dict is an UltraDict with a session of its own over the files that are open already. The handle
// of the parent keeps it in its cache; it knows nothing of its parent, so that there are no cycles. While it is open
// all keys of the family that refer to the dict give the same handle.
#pragma once

#include "dict_object.h"

namespace ultradict::python {

enum class NestedKind {
  none,     // an ordinary value
  plain,    // an exact dict: becomes a nested one
  own,      // a nested dict of this very dict: is referred to
  foreign,  // one of another dict: is copied
};
NestedKind kind_in_recursive(const Session* session, PyObject* value);
// In a dict without recurse: none.
inline NestedKind nested_kind(const Session* session, PyObject* value) {
  return session->recurse ? kind_in_recursive(session, value) : NestedKind::none;
}

// Of an open handle; false with AlreadyClosed raised.
bool linked_child(PyObject* handle, ChildId* id);

// The handle of a nested dict, a new reference. Null without an exception: it is gone.
PyObject* child_handle(Session* parent, ChildId id);

// What a child costs in the cache beyond its key: handle, session, storage of the base.
inline constexpr std::uint64_t child_handle_size = 1200;

// All items in a plain dict, and those of nested dicts in plain dicts, to any depth.
Ref deep_copy(PyObject* self);

// The value of a key that is about to go: a nested dict that goes with it as a plain one. Null with an exception.
Ref parting_value(Session* session, Ref value);

}  // namespace ultradict::python
