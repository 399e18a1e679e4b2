// SPDX-License-Identifier: Apache-2.0
// From the engine's Status to Python exceptions: the one place that decides which class stands for which code.
#pragma once

#include <string_view>

#include "module.h"
#include "ultradict/status.h"

namespace ultradict::python {

// All of these raise and return null. What an unwound operation left undone is undone before they are called.
PyObject* raise_status(ModuleState* module, const Status& status, std::string_view name);
PyObject* raise_status(Session* session, const Status& status);
PyObject* raise_closed(ModuleState* module, std::string_view name);
// KeyError with the key itself, also if that is a tuple.
PyObject* raise_key_error(PyObject* key);
// What dict itself says of a key that cannot be hashed; called while hash() has already raised.
PyObject* raise_unhashable(PyObject* key);

// CannotAcquireLock, or CannotAcquireLockTimeout after `seconds_passed`, naming who holds the lock. `timestamp` is when
// the attempt began.
PyObject* raise_lock_busy(Session* session, bool timed_out, double seconds_passed);

// An exception that was raised when a key or value was loaded is made to say which: `what` is a str for that, or null.
bool is_to_be_named(const Session* session);
PyObject* raise_named(const Session* session, PyObject* raised, Ref what);

// What was decoded, or null with such an exception; `what()` may run Python code.
template <class What>
PyObject* named(const Session* session, PyObject* decoded, const What& what) {
  if (decoded != nullptr || !is_to_be_named(session)) return decoded;
  const Ref raised = take_raised();
  return raise_named(session, raised.get(), what());
}

}  // namespace ultradict::python
