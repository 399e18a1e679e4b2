// SPDX-License-Identifier: Apache-2.0
// ExoticKeys: this process's mirror of keys that only Python can compare (Decimal, enum, a user's class). In shared
// memory such a key has a random identity as its canonical form; the mirror maps key objects to canonical forms with
// Python's own hash and ==, and is brought up to date from the end of the insertion order when it is asked.
//
// Invariants
//   One object stands for one exotic key as long as the key lives, also for keys equal to nothing but themselves (NaN).
//   What the mirror says may be out of date (keys deleted since): the caller asks the engine, and tells it with
//   forget(). A key that cannot be loaded in this process equals nothing here, until it can: the mirror tries again
//   when it is asked for a key of a type that it was not asked for before, and else so seldom that it costs nothing.
//
// Thread safety: everything needs the interpreter lock; nearly everything may run Python code.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "convert.h"
#include "ultradict/dict.h"

namespace ultradict::python {

struct Session;

class ExoticKeys {
 public:
  // 1: `canonical` is that of the key equal to `key`; 0: none; -1: an exception. `among_all`: plain keys count too.
  int find(Session* session, PyObject* key, bool among_all, Scratch* canonical);
  // `key` is about to be stored under `canonical`, and is the object that will stand for it. What its hash and == raise
  // is raised before anything is done. If it is not stored after all, what is noted here is out of date, no more.
  bool add(PyObject* key, Bytes canonical);
  // It is not stored, but perhaps another that equals it.
  void take_back(Bytes canonical);
  // `key` was deleted: its object goes, unless an equal one has come meanwhile.
  void forget(Session* session, PyObject* key);
  // What could not be loaded, or is no longer what it was, is loaded anew.
  void begin_anew();
  // The object that stands for a stored key, exotic or not; a new reference.
  PyObject* object_of(Session* session, Bytes canonical, Bytes face, bool exotic);

  // The objects that stand for stored keys, null if there are none: a dict from canonical form to object, for another
  // mirror of the same dict.
  Ref take_objects();
  Ref objects() const { return objects_.copy(); }
  void give_objects(Ref objects) { objects_ = std::move(objects); }

  void clear();
  int traverse(visitproc visit, void* arg);

 private:
  class Learning;
  // A key that the cursor has passed, until the mirror knows it and nobody is learning it any more.
  struct Passed {
    Ref canonical;  // bytes
    Ref face;       // bytes, or null
    bool exotic = false;
    bool is_learnt = false;
    std::uint64_t changes = 0;            // of the mirror until it was passed: if there are more by now, it may be gone
    std::vector<std::uint64_t> learners;  // threads of this interpreter, as often as they are at it
  };
  struct Mirror {
    Ref canonical_of;  // dict: key -> bytes; there if the cursor is
    std::optional<Cursor> cursor;
    std::map<std::uint64_t, Passed> passed;  // by birth
    std::uint64_t changes = 0;               // of canonical_of
    bool plain_too = false;
    std::uint64_t unloaded = 0;           // keys that could not be loaded
    std::uint64_t misses = 0;             // since it began anew
    std::set<const PyTypeObject*> asked;  // types of keys that were missed

    bool begin(const Dict& dict);
    bool pass(std::uint64_t born, const Record& record);
    std::uint64_t to_learn(std::uint64_t after) const;  // birth of a passed key, 0: none
    // *alone becomes false if others changed the mirror meanwhile.
    bool put(PyObject* keys, PyObject* key, PyObject* canonical, bool exotic, bool* alone);
    bool is_to_try_again(PyObject* key);
    void reset() {
      ++changes;
      cursor.reset();
      passed.clear();
      unloaded = misses = 0;
      const Ref old = std::move(canonical_of);
    }
  };

  static bool compares_too_much(const Session* session, const Mirror& mirror);
  Ref look_up(Session* session, Mirror* mirror, PyObject* key);
  bool refresh(Session* session, Mirror* mirror);
  bool learn(Session* session, Mirror* mirror, std::uint64_t born);
  bool purge(Session* session);
  static void begin_anew(Mirror* mirror);

  Mirror exotic_;
  Mirror all_;
  Ref objects_;  // dict: canonical bytes -> the object of an exotic key
};

}  // namespace ultradict::python
