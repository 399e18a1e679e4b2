// SPDX-License-Identifier: Apache-2.0
// The module logging is imported when there is something to say.
#include "recovery_log.h"

#include <cxxabi.h>

#include "lock_type.h"

namespace ultradict::python {

namespace {

constexpr const char* text =
    "UltraDict %r: %s died while it held the lock; what it had committed was completed, the rest undone";

// Its pid is not known if another participant has its number by now.
Ref who(std::int32_t pid) {
  const Ref own = Ref::steal(lock_get_pid(nullptr, nullptr));
  if (!own) return Ref();
  if (PyLong_AsLong(own.get()) == pid) return Ref::steal(PyUnicode_FromString("a thread of this process"));
  return Ref::steal(pid != 0 ? PyUnicode_FromFormat("process %d", static_cast<int>(pid))
                             : PyUnicode_FromString("a process"));
}

bool warn(const Session* session, std::int32_t pid) {
  const Ref logging = Ref::steal(PyImport_ImportModule("logging"));
  const Ref logger = Ref::steal(logging ? PyObject_CallMethod(logging.get(), "getLogger", "s", "UltraDict") : nullptr);
  const Ref dead = who(pid);
  if (!logger || !dead) return false;
  const Ref said =
      Ref::steal(PyObject_CallMethod(logger.get(), "warning", "ssO", text, session->name.c_str(), dead.get()));
  return static_cast<bool>(said);
}

}  // namespace

void tell_of_recovery(Session* session) noexcept {
  std::int32_t pid = 0;
  if (session->engine.has_lock() || !session->engine.take_recovery(&pid)) return;
  const RaisedKept kept;
  try {
    if (!warn(session, pid)) PyErr_WriteUnraisable(nullptr);
  } catch (const abi::__forced_unwind&) {
    stay();
  }
}

}  // namespace ultradict::python
