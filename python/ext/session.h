// SPDX-License-Identifier: Apache-2.0
// Session: one attachment to a dict, from open to close: the engine's handle and what this process knows of the
// contents. The UltraDict object owns one, its lock owns the same, and every operation holds it while it runs, so that
// a close() in the middle (by another thread, by a destructor, by a user's __eq__) lets the operation end first.
//
// Thread safety: everything needs the interpreter lock, except calls into `engine` between open and shut.
#pragma once

#include <cstdint>
#include <string>

#include "cache.h"
#include "convert.h"
#include "data.h"
#include "exotic_keys.h"
#include "family.h"
#include "held_values.h"
#include "module.h"
#include "recovery_log.h"
#include "ultradict/dict.h"
#include "value_view.h"

namespace ultradict::python {

struct Session {
  Cache cache;  // first: a hit uses nothing else
  Dict engine;
  Family* family = nullptr;
  PyObject* common = nullptr;  // stands for this: dict and lock have a reference each
  PyObject* handle = nullptr;  // of a nested dict that a key gave: the object that owns this, borrowed
  ModuleState* module = nullptr;
  std::string name;  // this and id stay when the engine's handle is closed
  std::string id;
  Serializer serializer;
  ExoticKeys exotic;
  HeldValues held;
  MappedViews mapped;
  Data data;
  std::int64_t size_changes = 0;  // insertions less deletions made through this handle: iterators ask whether it moved
  std::uint64_t misses = 0;       // values that the cache did not have: decoded
  std::uint64_t lock_waits = 0;   // how often somebody else had the shared lock
  std::uint32_t users = 0;        // operations under way
  static constexpr std::int32_t rest_interval = 1024;
  std::int32_t until_rest = rest_interval;  // operations and glances until it is time for what rest() does
  std::uint32_t locks = 0;                  // levels of the shared lock that were taken through this handle's lock
  std::uint32_t owners = 1;
  bool closed = false;
  bool shared_lock = false;        // as recorded: the shape of lock.acquire
  bool recurse = false;            // as recorded: plain dicts among the values become nested ones
  bool is_nested = false;          // of a nested dict
  bool hands_out_handles = false;  // some value in the cache may be a handle that was closed meanwhile

  // Of a family of its own, or of that of the handle it comes from. May run Python code.
  static Session* make(ModuleState* module, Family* family = nullptr);
  // Closed for everybody from now on; the engine's handle follows when the last operation under way has ended.
  void close();
  void release();  // one owner less; the last one closes
  // Of an owner that is a Python object and visits `common`: the dict, the lock.
  void gain_object() noexcept { ++owners, Py_INCREF(common); }
  void lose_object() {
    Py_DECREF(common);
    release();
  }
  void enter() noexcept { ++users, ++owners; }
  // At the end of an operation: first what it looks after while it still counts, then it counts no longer.
  void wind_up() noexcept {
    if (users == 1 && engine.has_recovery()) tell_of_recovery(this);
    if (!mapped.empty()) mapped.drop_old();
  }
  void leave() noexcept {
    if (--users == 0 && (closed || cache.table_was_left() || --until_rest <= 0)) rest();
    family->look_for_ended(this);
    family->settle();
    if (owners > 1) {
      --owners;
    } else {
      release();
    }
  }

  // What takes memory for nobody goes when an operation ends: old views, tables and segments that others removed. Hits
  // of the cache and glances (len, attributes) are too short to look for it; one in a thousand does so for all. May run
  // Python code.
  void tidy() noexcept;
  void count_glance() noexcept {
    if (--until_rest <= 0) [[unlikely]]
      tidy();
  }

  // Whether the end of an operation has to look after more than its references: old views, what ended nested dicts
  // left.
  bool has_chores() const noexcept { return !mapped.empty() || family->holds_for_nested(); }

  // The value that the cache has for an item, borrowed, current or not; null: none, or one that is of no use.
  PyObject* cached_value(const Cache::Item& item) const noexcept {
    return hands_out_handles && is_closed_handle(item.value) ? nullptr : item.value;
  }

  // One level of the shared lock that was taken through this handle's lock is given back; not_owner as the engine.
  Status unlock();
  // The object goes that owned this. What the next handle of the same nested dict must know is left to it.
  void detach() noexcept;

 private:
  Session() = default;
  static int traverse(void* owned, visitproc visit, void* arg);
  static void save_for_next(void* owned) noexcept;
  static void end_as_garbage(void* owned);
  // Forgets every decoded object.
  void break_cycles();
  bool is_closed_handle(PyObject* value) const noexcept;
  void rest();
  bool is_locked_elsewhere() const noexcept;
  void shut();
  void shut_engine();
};

// Keeps a session through one operation.
class Use {
 public:
  explicit Use(Session* session) noexcept
      : session_(session), entry_(session->module->under_way.enter(session, end_without_thread)) {
    session_->enter();
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() {
    if (is_unwound()) return;
    session_->wind_up();
    session_->module->under_way.leave(entry_);  // a child that is forked while objects go must not count it once more
    session_->leave();
  }

 private:
  static void end_without_thread(Session* session) noexcept {
    session->wind_up();
    session->leave();
  }

  Session* session_;
  UnderWay::Entry* entry_;
};

}  // namespace ultradict::python
