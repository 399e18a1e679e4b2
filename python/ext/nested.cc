// SPDX-License-Identifier: Apache-2.0
#include "nested.h"

#include <unordered_map>
#include <vector>

#include "dict_whole.h"
#include "looks.h"

namespace ultradict::python {

namespace {

// The session of a handle, open or not, if it is one of a nested dict; otherwise null.
const Session* session_of_child(PyObject* object, const ModuleState* module) {
  if (!is_shared_dict(object, module)) return nullptr;
  const Session* session = dict_object(object)->session;
  return session != nullptr && session->is_nested ? session : nullptr;
}

void inherit(Session* child, const Session* parent) {
  child->name = child->engine.name();
  child->id = child->engine.id();
  child->serializer = parent->serializer.copy();
  child->shared_lock = parent->shared_lock;
  child->recurse = parent->recurse;
  child->is_nested = true;
  child->cache.begin(child->engine, &parent->family->budget);
  parent->family->enroll(child);
  Family::Estate estate = parent->family->take(child->engine.child_id());
  child->exotic.give_objects(std::move(estate.exotic));
  child->held.give(std::move(estate.held));
}

// Plain dicts in the place of nested ones, one for each, however many keys refer to it.
class DeepCopy {
 public:
  Ref run(PyObject* root) {
    Ref whole = Ref::steal(PyDict_New());
    if (!whole) return Ref();
    pending_.push_back({Ref::share(root), whole.copy()});
    for (std::size_t number = 0; number < pending_.size(); ++number) {
      const Pending now{pending_[number].handle.copy(), pending_[number].plain.copy()};
      if (!copy_items(now.handle.get(), now.plain.get()) || !replace_children(now)) return Ref();
    }
    return whole;
  }

 private:
  struct Pending {
    Ref handle;
    Ref plain;
  };

  bool replace_children(const Pending& now) {
    const ModuleState* module = dict_object(now.handle.get())->module;
    PyObject *key = nullptr, *value = nullptr;
    for (Py_ssize_t position = 0; PyDict_Next(now.plain.get(), &position, &key, &value) != 0;) {
      const Session* child = session_of_child(value, module);
      if (child == nullptr) continue;
      const Ref plain = plain_of(value, child->name);
      if (!plain || PyDict_SetItem(now.plain.get(), key, plain.get()) < 0) return false;
    }
    return true;
  }

  Ref plain_of(PyObject* handle, const std::string& name) {
    Ref& known = plain_[name];
    if (!known) {
      known = Ref::steal(PyDict_New());
      if (!known) return Ref();
      pending_.push_back({Ref::share(handle), known.copy()});
    }
    return known.copy();
  }

  std::vector<Pending> pending_;
  std::unordered_map<std::string, Ref> plain_;
};

}  // namespace

NestedKind kind_in_recursive(const Session* session, PyObject* value) {
  if (PyDict_CheckExact(value)) return NestedKind::plain;
  if (!is_shared_dict(value, session->module)) return NestedKind::none;
  const Session* child = dict_object(value)->session;
  if (child == nullptr) return NestedKind::none;
  if (!child->is_nested) return child->engine.id() == session->engine.id() ? NestedKind::own : NestedKind::none;
  return child->engine.id() == session->engine.id() || child->closed ? NestedKind::own : NestedKind::foreign;
}

bool linked_child(PyObject* handle, ChildId* id) {
  Session* session = open_session(handle);
  if (session == nullptr) return false;
  *id = session->engine.child_id();
  if (id->number != 0) return true;
  const char* const what = "a dict cannot become a value of its own content: assign a copy of it";
  return raise_status(session, Status(Code::would_cycle, what)), false;
}

PyObject* child_handle(Session* parent, ChildId id) {
  Dict engine;
  const Status status = parent->engine.open_child(id, &engine);
  if (status.code() == Code::dict_gone) return nullptr;
  if (!status) return raise_status(parent, status);
  parent->hands_out_handles = true;
  if (PyObject* known = parent->family->handle_of(id); known != nullptr) return known;
  auto* type = reinterpret_cast<PyTypeObject*>(parent->module->handle_type.get());
  const Ref nothing = Ref::steal(PyTuple_New(0));
  Ref handle = Ref::steal(nothing ? type->tp_new(type, nothing.get(), nullptr) : nullptr);
  Session* session = handle ? Session::make(parent->module, parent->family) : nullptr;
  if (session == nullptr) return nullptr;
  // Making objects may run Python code that has asked for the same dict.
  if (PyObject* known = parent->family->handle_of(id); known != nullptr) return session->lose_object(), known;
  session->engine = std::move(engine);
  dict_object(handle.get())->session = session;
  session->handle = handle.get();
  inherit(session, parent);
  return handle.release();
}

// A nested dict that another process deletes or replaces before its turn comes makes the copy begin anew; after a few
// times writers are kept out.
Ref deep_copy(PyObject* self) {
  constexpr int looks_unlocked_max = 4;
  Session* session = open_session(self);
  if (session == nullptr) return Ref();
  const Use use(session);
  for (Looks looks(session, looks_unlocked_max); looks.begin();) {
    Ref whole = DeepCopy().run(self);
    const bool again = !whole && !looks.is_last() && session->engine.alive() &&
                       PyErr_ExceptionMatches(session->module->errors.dict_deleted.get()) != 0;
    if (!again) return whole;
    PyErr_Clear();
  }
  return Ref();
}

Ref parting_value(Session* session, Ref value) {
  const Session* child = session_of_child(value.get(), session->module);
  if (child == nullptr || child->engine.id() != session->engine.id()) return value;
  std::uint64_t links = 0;
  if (Status status = child->engine.link_count(&links); !status) {
    raise_status(session, status);
    return Ref();
  }
  return links > 1 ? std::move(value) : deep_copy(value.get());
}

}  // namespace ultradict::python
