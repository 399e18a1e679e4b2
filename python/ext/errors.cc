// SPDX-License-Identifier: Apache-2.0
// Exceptions: classes live in UltraDict/Exceptions.py, texts come from the engine where it has one.
#include "errors.h"

#include <chrono>
#include <string>

#include "session.h"

namespace ultradict::python {

namespace {

PyObject* class_of(const ErrorClasses& errors, Code code) {
  switch (code) {
    case Code::no_such_dict:
      return errors.cannot_attach.get();
    case Code::already_exists:
      return errors.already_exists.get();
    case Code::closed:
      return errors.already_closed.get();
    case Code::lock_busy:
    case Code::not_owner:
      return errors.cannot_acquire_lock.get();
    case Code::lock_timeout:
      return errors.cannot_acquire_lock_timeout.get();
    case Code::content_full:
      return errors.full_dump_memory_full.get();
    case Code::memory_full:
      return errors.shared_memory_full.get();
    case Code::damaged:
      return errors.damaged.get();
    case Code::other_format:
      return errors.other_format.get();
    case Code::forbidden:
      return errors.forbidden.get();
    case Code::unsupported:
      return errors.unsupported.get();
    case Code::dict_gone:
      return errors.dict_deleted.get();
    case Code::would_cycle:
      return errors.cyclic_reference.get();
    case Code::invalid_argument:
      return errors.invalid_parameter.get();
    case Code::internal:
      return errors.internal_error.get();
    default:
      return errors.system_failure.get();
  }
}

const char* text_of(Code code) {
  switch (code) {
    case Code::no_such_dict:
      return "there is no dict of this name";
    case Code::already_exists:
      return "a dict of this name exists already";
    case Code::closed:
      return "it is closed";
    case Code::content_full:
      return "full_dump_size would be exceeded; nothing was changed";
    case Code::memory_full:
      return "shared memory is full; nothing was changed";
    case Code::damaged:
      return "shared bytes are damaged";
    default:
      return "the operation failed";
  }
}

void raise_text(PyObject* error, const std::string& text) {
  const Ref message = Ref::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
  if (message) PyErr_SetObject(error != nullptr ? error : PyExc_RuntimeError, message.get());
}

std::string holder_text(const Dict& engine, const Owner& owner) {
  if (owner.number == 0) return "another process took it first";
  if (engine.has_lock()) return "this thread itself holds it";
  if (owner.here) return "another thread of this process (pid " + std::to_string(owner.pid) + ") holds it";
  return "process " + std::to_string(owner.pid) + " holds it";
}

// As time.monotonic() counts.
double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

PyObject* raise_status(ModuleState* module, const Status& status, std::string_view name) {
  std::string text = status.message();
  if (text.empty()) text = "UltraDict '" + std::string(name) + "': " + text_of(status.code());
  raise_text(class_of(module->errors, status.code()), text);
  return nullptr;
}

// The engine names the root where it only knows that it walked.
static Status named_as_nested(const Session* session, const Status& status) {
  const std::string of_root = "dict '" + session->name.substr(0, session->name.find('/')) + "':";
  if (!session->is_nested || !status.message().starts_with(of_root)) return Status(status.code(), status.message());
  return Status(status.code(), "dict '" + session->name + "':" + status.message().substr(of_root.size()));
}

PyObject* raise_status(Session* session, const Status& status) {
  if (status.code() == Code::closed || session->closed) return raise_closed(session->module, session->name);
  // Of a read: who waits for the lock to write does so in slices of his own.
  if (status.code() == Code::lock_timeout) return raise_lock_busy(session, true, reader_wait_ns / 1e9);
  if (status.code() != Code::dict_gone) return raise_status(session->module, status, session->name);
  return raise_status(session->module, named_as_nested(session, status), session->name);
}

PyObject* raise_closed(ModuleState* module, std::string_view name) {
  const std::string text = name.empty() ? std::string("this UltraDict was never opened: its __init__ did not run")
                                        : "UltraDict '" + std::string(name) + "' is closed";
  raise_text(module->errors.already_closed.get(), text);
  return nullptr;
}

namespace {

bool is_of_dict(const ErrorClasses& errors) {
  return PyErr_ExceptionMatches(errors.damaged.get()) != 0 || PyErr_ExceptionMatches(errors.forbidden.get()) != 0;
}

// Of an exception of ours, in its own words.
void name_in_message(PyObject* type, PyObject* raised, PyObject* what, const std::string& name) {
  const Ref said = Ref::steal(PyObject_Str(raised));
  const char* text = said ? PyUnicode_AsUTF8(said.get()) : nullptr;
  if (text == nullptr) return;
  const bool is_named = std::string_view(text).starts_with("dict '");
  const Ref words =
      is_named ? said.copy() : Ref::steal(PyUnicode_FromFormat("dict '%s', %U: %s", name.c_str(), what, text));
  if (words) PyErr_SetObject(type, words.get());
}

// Of any other, where Python can (3.11).
void name_in_note(PyObject* raised, PyObject* what, const std::string& name) {
  const Ref note = Ref::steal(PyUnicode_FromFormat("when %U of UltraDict '%s' was loaded", what, name.c_str()));
  const Ref done = Ref::steal(note ? PyObject_CallMethod(raised, "add_note", "O", note.get()) : nullptr);
  if (!done) PyErr_Clear();
}

}  // namespace

bool is_to_be_named(const Session* session) {
  if (PyErr_Occurred() == nullptr) return false;
  if (is_of_dict(session->module->errors)) return true;
  return PyErr_ExceptionMatches(PyExc_Exception) != 0 && PyErr_ExceptionMatches(PyExc_MemoryError) == 0;
}

PyObject* raise_named(const Session* session, PyObject* raised, Ref what) {
  if (!what) {
    forgive_raised();
    what = Ref::steal(PyUnicode_FromString("a key or value"));
  }
  auto* const type = reinterpret_cast<PyObject*>(Py_TYPE(raised));
  raise_again(raised);
  if (!what || !is_of_dict(session->module->errors)) {
    const RaisedKept kept;
    if (what) name_in_note(raised, what.get(), session->name);
    return nullptr;
  }
  PyErr_Clear();
  name_in_message(type, raised, what.get(), session->name);
  return nullptr;
}

PyObject* raise_key_error(PyObject* key) {
  const Ref arguments = Ref::steal(PyTuple_Pack(1, key));
  if (arguments) PyErr_SetObject(PyExc_KeyError, arguments.get());
  return nullptr;
}

PyObject* raise_unhashable(PyObject* key) {
#if PY_VERSION_HEX >= 0x030e0000
  // Since 3.14 dict puts its own words around the TypeError of hash(); an empty dict knows them.
  if (!PyErr_ExceptionMatches(PyExc_TypeError)) return nullptr;
  PyErr_Clear();
  const Ref empty = Ref::steal(PyDict_New());
  if (empty) return PyObject_GetItem(empty.get(), key);
#else
  (void)key;
#endif
  return nullptr;
}

PyObject* raise_lock_busy(Session* session, bool timed_out, double seconds_passed) {
  const Owner owner = session->engine.owner();
  std::string text = "cannot acquire the lock of UltraDict '" + session->name + "'";
  if (timed_out) text += " within " + std::to_string(seconds_passed) + " s";
  text += ": " + holder_text(session->engine, owner);
  const ErrorClasses& errors = session->module->errors;
  PyObject* error = timed_out ? errors.cannot_acquire_lock_timeout.get() : errors.cannot_acquire_lock.get();
  const Ref arguments = Ref::steal(Py_BuildValue("(s)", text.c_str()));
  const Ref keywords = Ref::steal(Py_BuildValue("{s:i,s:d}", "blocking_pid", static_cast<int>(owner.pid), "timestamp",
                                                now_seconds() - seconds_passed));
  if (!arguments || !keywords) return nullptr;
  if (timed_out) {
    const Ref passed = Ref::steal(PyFloat_FromDouble(seconds_passed));
    if (!passed || PyDict_SetItemString(keywords.get(), "time_passed", passed.get()) < 0) return nullptr;
  }
  const Ref raised = Ref::steal(PyObject_Call(error, arguments.get(), keywords.get()));
  if (raised) PyErr_SetObject(error, raised.get());
  return nullptr;
}

}  // namespace ultradict::python
