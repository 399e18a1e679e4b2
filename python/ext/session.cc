// SPDX-License-Identifier: Apache-2.0
// Session: its life, counted by hand because owners, operations and the end of the interpreter meet here.
#include "session.h"

#include <memory>
#include <new>

#include "common.h"
#include "dict_object.h"

namespace ultradict::python {

Session* Session::make(ModuleState* module, Family* family) {
  auto* session = new (std::nothrow) Session;
  if (session == nullptr) return PyErr_NoMemory(), nullptr;
  session->family = family != nullptr ? family : Family::make(module);
  if (session->family == nullptr) return delete session, nullptr;
  if (family != nullptr) {
    Py_INCREF(family->common);
  } else {
    session->family->head = session;
  }
  ++session->family->sessions;
  session->module = module;
  if (!make_common(module, {session, traverse, save_for_next, end_as_garbage}, &session->common))
    return session->release(), nullptr;
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
  end_common(common);
  Py_XDECREF(family->common);
  const std::unique_ptr<Family> last(--family->sessions == 0 ? family : nullptr);  // the cache still needs it
  delete this;
}

void Session::detach() noexcept {
  handle = nullptr;
  if (!is_nested || !engine.is_open()) return;
  family->strike_off(this);
  family->leave(this, engine.child_id(), {exotic.take_objects(), held.take()});
}

// As in detach(): when the collector has emptied them it is too late.
void Session::save_for_next(void* owned) noexcept {
  auto* session = static_cast<Session*>(owned);
  if (!session->is_nested || session->closed || !session->engine.is_open()) return;
  session->family->leave(session, session->engine.child_id(), {session->exotic.objects(), session->held.values()});
}

// Nobody can use it any more: it ends, and does not need what turned its values into bytes.
void Session::end_as_garbage(void* owned) {
  auto* session = static_cast<Session*>(owned);
  ++session->owners;  // with what goes the others may
  session->close();
  session->break_cycles();  // a thread that ended in its midst may have kept it from that
  session->serializer.drop_objects();
  session->release();
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

int Session::traverse(void* owned, visitproc visit, void* arg) {
  auto* session = static_cast<Session*>(owned);
  Py_VISIT(session->family->common);
  if (const int stop = session->cache.traverse(visit, arg); stop != 0) return stop;
  if (const int stop = session->exotic.traverse(visit, arg); stop != 0) return stop;
  if (const int stop = session->held.traverse(visit, arg); stop != 0) return stop;
  if (const int stop = session->data.traverse(visit, arg); stop != 0) return stop;
  return session->serializer.traverse(visit, arg);
}

}  // namespace ultradict::python
