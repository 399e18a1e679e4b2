// SPDX-License-Identifier: Apache-2.0
// Storing and erasing one key: encoded outside the shared lock, done under it, remembered after it.
#pragma once

#include "lookup.h"

namespace ultradict::python {

// `encoded` is the value's encoding.
bool store_value(Session* session, PyObject* key, Py_hash_t hash, PyObject* value, Bytes encoded);

// yes: it was there and is gone. The shared lock may be held already.
Found erase_key(Session* session, PyObject* key, Py_hash_t hash);

struct SettledKey {
  bool exists = false;
  bool exotic = false;
};

// Under the shared lock: the canonical form under which `key` is or will be stored, in `probe->canonical`, and its
// face.
bool settle_key(Probe* probe, SettledKey* settled);

// Erases what `seen` names, whatever the key, under the shared lock.
bool erase_seen(Session* session, const Sighting& seen);

}  // namespace ultradict::python
