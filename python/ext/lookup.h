// SPDX-License-Identifier: Apache-2.0
// Finding a key the way Python compares keys: first what this process remembers, then the engine by canonical bytes,
// then the mirror of exotic keys. Reads, writes and deletions all begin here.
#pragma once

#include "looks.h"

namespace ultradict::python {

// What there is to know about one key during one operation.
struct Probe {
  explicit Probe(Session* of) : session(of), buffer(of->module->spare_buffer) {}

  // False with MemoryError raised.
  explicit operator bool() const noexcept { return static_cast<bool>(buffer); }

  Session* session;
  PyObject* key = nullptr;
  KeyKind kind = KeyKind::error;
  Scratch canonical;  // of the stored key if there is one, else of `key` (empty for exotic ones)
  Scratch face;
  Lease<Buffer> buffer;
  Sighting seen;
  Record record;  // valid until the buffer is used again
};

enum class Answer { error = -1, no = 0, yes = 1 };

// Encodes the key and asks the engine; does not look into the cache. yes: `seen` and `record` are set.
Answer find_stored(Probe* probe);

// The current value of a key, from the cache or decoded; a new reference. Null without an exception: there is no such
// key.
PyObject* read_value(Session* session, PyObject* key, Py_hash_t hash);

// Of a value that was not there though nobody could write.
PyObject* raise_unfetched(Session* session);

// The value of a record that was just read, remembered if that can be; a new reference. `key`, if not null, is a key
// equal to the stored one, with its hash. Null with an exception, or without one if the key was overwritten or deleted
// meanwhile. A walk over everything, whose `key` is the stored one itself, remembers only what fits, so that it does
// not drive out what is used.
enum class Remember { always, if_room };
PyObject* value_of_record(Session* session, PyObject* key, Py_hash_t hash, const Sighting& seen, const Record& record,
                          Remember remember = Remember::always);

// The value of an item that is known not to be current, or has none. Null without an exception: ask by key.
PyObject* refresh_item(Session* session, std::uint32_t number);

}  // namespace ultradict::python
