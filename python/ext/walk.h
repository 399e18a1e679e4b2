// SPDX-License-Identifier: Apache-2.0
// Walk: the keys and values of a dict in insertion order as Python objects, taken from the cache where it has them.
#pragma once

#include "session.h"

namespace ultradict::python {

enum class Part { keys, values, items };

class Walk {
 public:
  explicit Walk(Session* session, Cursor::Direction direction = Cursor::Direction::forward)
      : session_(session), cursor_(session->engine, direction) {}

  enum class Step { error, end, item };
  // Sets what `part` names; the session must be open. Errors are raised for the key they concern, the walk may go on.
  Step next(Part part, Ref* key, Ref* value);

 private:
  Step from_cache(Part part, const Sighting& seen, Ref* key, Ref* value);
  Step from_store(Part part, Sighting seen, Ref* key, Ref* value);
  Step remember_key(const Sighting& seen, const Record& record, PyObject* key);

  Session* session_;
  Cursor cursor_;
};

}  // namespace ultradict::python
