// SPDX-License-Identifier: Apache-2.0
// Data: the plain dict behind `d.data`, all items decoded, one object as long as it is wanted. Bringing it up to date
// costs what changed since (Dict::changes).
//
// Invariants
//   `known_` says what of the shared dict is in the plain one: which entries, in which life of their keys, and which
//   change wrote the value. What the program does to the plain dict is its own affair.
//   Decoding runs Python code, and other threads with it: items are gathered first and put in place only if nobody
//   else did so meanwhile.
//
// Thread safety: everything needs the interpreter lock.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "ref.h"
#include "ultradict/dict.h"

namespace ultradict::python {

struct Session;

class Data {
 public:
  // The dict, up to date; made if there is none. The session must be in Use. Null with an exception.
  PyObject* fetch(Session* session);
  // Nothing to do if there is none. False with an exception.
  bool update(Session* session) { return !dict_ || bring_up_to_date(session); }
  // The next update reads everything again.
  void forget_progress() noexcept { progress_ = Progress(), ++version_; }
  void drop() noexcept;
  int traverse(visitproc visit, void* arg);

 private:
  struct Known {
    Ref key;
    std::uint64_t born;
    std::uint64_t sequence;
  };
  struct Item {
    Ref key, value;
    std::uint64_t sequence = 0;
    std::uint64_t born = 0;
    std::uint32_t entry = 0;
  };
  // What is to be done to the dict.
  struct Gathered {
    Progress progress;
    bool from_scratch = false;
    std::vector<std::uint32_t> gone;  // entries
    std::vector<Item> items;
  };
  enum class Step { error, gone, unchanged, item };

  bool bring_up_to_date(Session* session);
  bool gather(Session* session, Gathered* gathered);
  bool gather_all(Session* session, Gathered* gathered);
  bool add(Session* session, const Sighting& seen, Gathered* gathered);
  // `anew`: whatever was known before.
  Step read(Session* session, Sighting seen, bool anew, Item* item);
  static bool read_cached(Session* session, const Sighting& seen, Item* item);

  bool apply(Gathered* gathered);
  bool apply_gone(PyObject* dict, std::uint32_t entry, std::vector<Ref>* replaced);
  bool apply_item(PyObject* dict, Item* item, std::vector<Ref>* replaced);

  Ref dict_;
  std::unordered_map<std::uint32_t, Known> known_;  // by entry
  Progress progress_;
  std::uint64_t version_ = 0;  // changes with every application
};

// --- methods and attributes of the dict ---
PyObject* dict_get_data(PyObject* self, void* none);
int dict_set_data(PyObject* self, PyObject* value, void* none);
PyObject* dict_apply_update(PyObject* self, PyObject* none);
PyObject* dict_load(PyObject* self, PyObject* arguments, PyObject* keywords);

}  // namespace ultradict::python
