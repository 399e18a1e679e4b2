// SPDX-License-Identifier: Apache-2.0
// Session: its life, counted by hand because owners, operations and the end of the interpreter meet here.
#include "session.h"

#include <memory>
#include <new>

#include "dict_object.h"

namespace ultradict::python {

Session* Session::make(ModuleState* module, Family* family) {
  std::unique_ptr<Family> made(family == nullptr ? new (std::nothrow) Family : nullptr);
  if (family == nullptr) family = made.get();
  auto* session = family != nullptr ? new (std::nothrow) Session : nullptr;
  if (session == nullptr) return PyErr_NoMemory(), nullptr;
  if (made) made.release()->head = session;
  session->family = family;
  ++family->sessions;
  session->module = module;
  return session;
}

void Session::close() {
  closed = true;
  cache.expire();  // while others are at work, what they see is not found any more
  if (users == 0 && !is_locked_elsewhere()) shut();
}

// Whether another thread holds the lock through this handle: it gives it back before the engine's handle goes.
bool Session::is_locked_elsewhere() const noexcept {
  return locks > 0 && engine.is_open() && !engine.has_lock() && engine.owner().here;
}

Status Session::unlock() {
  Status status = engine.unlock();
  if (status && locks > 0) --locks;
  return status;
}

void Session::shut() {
  ++owners;  // the destructors that run here may release the others
  shut_engine();
  release();
}

void Session::shut_engine() {
  const RaisedKept kept;
  detach();
  break_cycles();
  while (locks > 0 && unlock()) {
  }
  if (engine.is_open()) (void)engine.close();
}

// No operation is under way: nobody asks with an old sighting.
void Session::rest() {
  if (closed) return is_locked_elsewhere() ? void() : shut();
  until_rest = rest_interval;
  cache.leave_old_tables();
  engine.release_old_tables();
  (void)engine.contains({});  // as after any read, the engine unmaps what is gone
}

void Session::tidy() noexcept {
  const RaisedKept kept;
  const Use use(this);  // its end does it all, unless another operation is under way
  until_rest = users == 1 ? 1 : rest_interval;
}

void Session::release() {
  if (owners > 1) {
    --owners;
    return;
  }
  closed = true;
  shut_engine();
  if (family->head == this) family->head = nullptr;
  const std::unique_ptr<Family> last(--family->sessions == 0 ? family : nullptr);  // the cache still needs it
  delete this;
}

void Session::detach() noexcept {
  handle = nullptr;
  if (!is_nested || !engine.is_open()) return;
  family->strike_off(this);
  family->leave(this, engine.child_id(), {exotic.take_objects(), held.take()});
}

void Session::break_cycles() {
  cache.clear();
  exotic.clear();
  held.clear(this);
  mapped.clear();
  family->hand_on(this);
  data.drop();
  family->settle();
}

bool Session::is_closed_handle(PyObject* value) const noexcept {
  if (value == nullptr || !is_shared_dict(value, module)) return false;
  const Session* child = dict_object(value)->session;
  return child == nullptr || child->closed;
}

int Session::traverse(visitproc visit, void* arg) {
  const int stop = cache.traverse(visit, arg);
  if (stop != 0) return stop;
  if (const int also = exotic.traverse(visit, arg); also != 0) return also;
  if (family->head == this) {
    if (const int also = family->traverse(visit, arg); also != 0) return also;
  }
  if (const int also = held.traverse(visit, arg); also != 0) return also;
  if (const int also = data.traverse(visit, arg); also != 0) return also;
  return serializer.traverse(visit, arg);
}

}  // namespace ultradict::python
