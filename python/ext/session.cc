// SPDX-License-Identifier: Apache-2.0
// Session: its life, counted by hand because owners, operations and the end of the interpreter meet here.
#include "session.h"

#include <new>

#include "dict_object.h"

namespace ultradict::python {

Session* Session::make(ModuleState* module) {
  auto* session = new (std::nothrow) Session;
  if (session == nullptr) return PyErr_NoMemory(), nullptr;
  session->module = module;
  session->next = module->first_session;
  if (session->next != nullptr) session->next->previous = session;
  module->first_session = session;
  return session;
}

void Session::close() {
  closed = true;
  if (users == 0) shut();
}

void Session::shut() {
  ++owners;  // the destructors that run here may release the others
  shut_engine();
  release();
}

void Session::shut_engine() {
  const RaisedKept kept;
  forget();
  if (engine.is_open()) (void)engine.close();
}

// No operation is under way: nobody asks with an old sighting.
void Session::rest() {
  if (closed) return shut();
  engine.release_old_tables();
}

void Session::release() {
  if (owners > 1) {
    --owners;
    return;
  }
  closed = true;
  shut_engine();
  if (previous != nullptr) previous->next = next;
  if (next != nullptr) next->previous = previous;
  if (module->first_session == this) module->first_session = next;
  delete this;
}

void Session::forget() {
  cache.clear();
  exotic.clear();
  cache.drop_doomed();
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
  return serializer.traverse(visit, arg);
}

}  // namespace ultradict::python
