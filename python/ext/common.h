// SPDX-License-Identifier: Apache-2.0
// A common object stands, for the garbage collector, for what several Python objects own together in C++: a session is
// owned by its dict and by the lock, a family by its sessions. Each owner has one reference to it and visits it; the
// object visits the content. So the collector clears the content when all owners are garbage, and not before, and finds
// every cycle through it.
//
// Thread safety: everything needs the interpreter lock.
#pragma once

#include "ref.h"

namespace ultradict::python {

struct ModuleState;

struct CommonContent {
  void* owned;
  int (*traverse)(void* owned, visitproc visit, void* arg);
  // It will be garbage, unless a destructor gives it to somebody; nothing is cleared yet. What others must have of it
  // is shared with them. Runs no Python code. May be null.
  void (*save)(void* owned);
  // Nobody has it any more: no cycle leads through it afterwards. May run Python code, which may end what is owned.
  void (*break_cycles)(void* owned);
};

// Sets `*place` to a new object, with the reference of the first owner; null again when the last one is given back.
// False with an exception. May run Python code.
bool make_common(const ModuleState* module, const CommonContent& content, PyObject** place);
// What is owned ends: whoever still has the object finds nothing in it. Null: nothing happens.
void end_common(PyObject* common) noexcept;

extern PyType_Spec common_spec;

}  // namespace ultradict::python
