// SPDX-License-Identifier: Apache-2.0
// Storing and erasing one key: encoded outside the shared lock, done under it, remembered after it.
#pragma once

#include "lookup.h"

namespace ultradict::python {

// A value on its way into the dict: encoded, and in shared memory already if it is large.
struct ReadyValue {
  ReadyValue() = default;
  // What was not put is given up, which may wait for the shared lock, and its owner for the interpreter's.
  ~ReadyValue() {
    if (staged.size() == 0) return;
    if (is_unwound()) return;
    const GilReleased released;
    staged = StagedValue();
  }
  ReadyValue(const ReadyValue&) = delete;
  ReadyValue& operator=(const ReadyValue&) = delete;

  Bytes bytes;         // of a small one
  StagedValue staged;  // a large one
  std::size_t size = 0;
};
// Neither the shared lock nor, for a large value, the interpreter lock is held meanwhile; the session may be closed
// afterwards, which raises. `encoded` is needed as long as `ready`.
bool make_ready(Session* session, const Encoded& encoded, ReadyValue* ready);

// The most frequent write, an int or a short text for a key whose entry is known. No Python code runs and nothing is
// waited for, so nothing need be kept meanwhile or told afterwards. False: it takes more than that, whatever it is;
// nothing is raised.
bool store_short(Session* session, PyObject* key, Py_hash_t hash, PyObject* value);

// `inserted`, if not null, is set if the key is new.
bool store_value(Session* session, PyObject* key, Py_hash_t hash, PyObject* value, ReadyValue& ready,
                 Sighting* inserted = nullptr);

// yes: it was there and is gone. The shared lock may be held already.
Answer erase_key(Session* session, PyObject* key, Py_hash_t hash);

struct SettledKey {
  bool exists = false;
  bool exotic = false;
};

// How a key that is not plain is stored, made once: to pickle it runs Python code.
struct PickledForm {
  Scratch canonical;
  Scratch face;
};

// Under the shared lock: the canonical form under which `key` is or will be stored, in `probe->canonical`, and its
// face. Runs Python code: see Undisturbed.
bool settle_key(Probe* probe, PickledForm* form, SettledKey* settled);

// Python code that compares or pickles keys may write to the dict, though this thread has its lock; or fork, and then
// the child has no lock. What was found before no longer holds then, and is to be looked at again.
class Undisturbed {
 public:
  explicit Undisturbed(Session* session) : session_(session), written_(session->engine.written()) {}
  // So often at most; then with a RuntimeError.
  static constexpr int tries_max = 64;
  static bool raise_endless();
  bool holds() const { return session_->engine.has_lock() && session_->engine.written() == written_; }

 private:
  Session* session_;
  std::uint64_t written_;
};

// Erases what `seen` names, whatever the key, under the shared lock.
bool erase_seen(Session* session, const Sighting& seen);

}  // namespace ultradict::python
