// SPDX-License-Identifier: Apache-2.0
// HeldValues: values with a handle of a dict in them stay referenced by the process that assigned them, as long as
// their key refers to them: a dict that goes with its handle would otherwise be gone before anybody reads the key.
//
// What this process overwrites or deletes is let go at once, what others did is noticed when the number of values has
// doubled. What is let go waits in the budget of the family: it may be in the middle of something.
#pragma once

#include <cstdint>

#include "ref.h"

namespace ultradict::python {

struct Session;

class HeldValues {
 public:
  bool empty() const noexcept { return !values_; }
  // After `key` was given `value`. False with an exception.
  bool keep(Session* session, PyObject* key, PyObject* value);
  // After `key` was given another value, or deleted. May run Python code: a key's __eq__.
  void let_go(Session* session, PyObject* key);
  // All of them, null if there are none, for another handle of the same dict: key -> (sequence, value, key).
  Ref take() { return std::move(values_); }
  Ref values() const { return values_.copy(); }
  void give(Ref values) { values_ = std::move(values); }
  static bool add(PyObject* values, PyObject* key, std::uint64_t sequence, PyObject* value);
  void clear(Session* session) noexcept;
  int traverse(visitproc visit, void* arg) const;

 private:
  static constexpr Py_ssize_t sweep_count_min = 16;

  bool sweep(Session* session);
  // Unless its key has another one by now.
  bool drop(Session* session, PyObject* held);

  Ref values_;  // key -> (sequence of the change, value, key); null: none
  Py_ssize_t sweep_count_ = sweep_count_min;
};

}  // namespace ultradict::python
