// SPDX-License-Identifier: Apache-2.0
// Store: one dict as this process has it open: identity, regions, lock. One per dict and process, however many handles.
//
// The protocols are functions over it, one file each:
//   reads       reader.h, at first by glance.h; cursor.cc: walks; changes.h: what a copy of the dict follows
//   writes      put.h: from the value to the change; new_value.h, locate.h, writer.h, successor.h: one key; batch.h,
//               insertions.h, pending.h: many keys in one commit; clear.h: an empty table in one change
//   room        log.h and reserve.h: for records; table.h: for entries and slots; cleaning.h: dead records make way;
//               memory_budget.h: what max_bytes leaves
//   dicts       nested.h: those that are values; dict_header.h: where one keeps its ends and counts
//   life        life.h: create, attach, leave, unlink; recovery.h: what the next owner does after a dead one;
//               inspect.h: stats and the full check
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/hash.h"
#include "os/directory.h"
#include "os/liveness_token.h"
#include "store/dict_lock.h"
#include "store/regions.h"
#include "ultradict/dict.h"

namespace ultradict {

class Store {
 public:
  Store() = default;
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  State& state() const { return regions.state(); }
  Poison& poison() const { return regions.poison(); }
  Control& control() const { return regions.control(); }
  // Of a key of the dict of that number: the same key is somewhere else in each.
  Word hash(Word dict, Bytes key) const {
    return keyed_hash(key.data(), key.size(), secret, secret_size) ^ (dict * 0x9e3779b97f4a7c15ULL);
  }

  // A hint that the lock will be taken for a change: the lines that each change writes come together with that of the
  // lock. Taking it waits for what was loaded before and holds up what is loaded after.
  void prefetch_for_change() const {
    __builtin_prefetch(&control().lock, 1);
    __builtin_prefetch(&state().tail, 1);
    __builtin_prefetch(&control().journal.word, 1);
    __builtin_prefetch(control().journal.stores, 1);
  }

  // Takes the lock and, if an owner died with work under way, finishes that first; so is what this very owner could not
  // finish, a level deeper.
  Fault enter(const Wait& wait);
  // Without a system call; false also if there is something to finish.
  bool try_enter() {
    if (poison() || !lock.try_acquire()) return false;
    if (!has_unfinished_work()) return true;
    (void)lock.release();
    return false;
  }
  Fault leave() {
    if (poison()) [[unlikely]]
      leave_to_repair();
    const Fault fault = lock.release();
    regions.release_retired();
    return fault;
  }
  // The same for who is known to be inside.
  void leave_held() {
    if (poison()) [[unlikely]]
      leave_to_repair();
    lock.leave();
    regions.release_retired();
  }

  // Whether this process repaired something since the last call; for messages.
  bool take_recovery(std::int32_t* pid) {
    *pid = recovered_from.load(std::memory_order_relaxed);
    const Word by = recovered_by.exchange(0, std::memory_order_acquire);
    return by != 0 && by == token->word();  // not what a parent did before it forked
  }

  // Whether an owner before left work behind: it died, or it failed to finish what a dead one left.
  bool has_unfinished_work() const {
    const State& found = state();
    return (shared::load_relaxed(control().journal.word) | shared::load_relaxed(found.batch_begin) |
            shared::load_relaxed(found.repair)) != 0;
  }

  void note_recovery();
  // The next owner looks after what this process began and must not go on with.
  void leave_to_repair();
  // At the end of this Store. What its owner is in the midst of is to be repaired: it builds nested dicts, or it is
  // another thread of a process that ends.
  void give_lock_back_for_good();

  // The thread that held the lock, or built nested dicts, does not exist there.
  static void after_fork_in_child(Store& store) {
    store.regions.after_fork_in_child();
    store.lock.after_fork_in_child();
    store.builds_children = false;
  }

  std::string name;
  std::string id;
  std::string attributes;
  Options options;  // as recorded
  std::uint8_t secret[secret_size] = {};
  os::Directory directory;
  std::shared_ptr<os::LivenessToken> token;
  Regions regions;
  DictLock lock;
  os::File attached_file;          // only where a mapping does not hold a lock
  os::HeldByte owner_byte;         // of the creator of a dict with auto_unlink
  Word creator = 0;                // token word of the process that created it with this Store; 0: attached
  int handles = 0;                 // of the root, open: its creator's end is when the last of them closes
  bool ends = false;               // it has; this and `handles` belong to life.cc, under a mutex of it
  bool last_put_inserted = false;  // under the lock: who inserts a key will insert more
  bool builds_children = false;    // a ChildBuilder of the thread that holds the lock is at work
  // A recovery that nobody was told of yet: whose process did it (token word; 0: none), and the pid of the dead owner.
  std::atomic<Word> recovered_by = 0;
  std::atomic<std::int32_t> recovered_from = 0;
};

// The lock for the length of an operation, whether the thread has it already or not.
class Entered {
 public:
  explicit Entered(Store& store, const Wait& wait = {}) : store_(store), fault_(store.enter(wait)) {}
  ~Entered() {
    if (!fault_) store_.leave_held();
  }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;
  const Fault& fault() const { return fault_; }
  LockHeld held() const { return store_.lock.held(); }

 private:
  Store& store_;
  Fault fault_;
};

// What the operation says, done under the lock, or why that cannot be had.
template <typename Operation>
Fault under_lock(Store& store, const Operation& operation, const Wait& wait = {}) {
  const Entered entered(store, wait);
  return entered.fault() ? entered.fault() : operation(entered.held());
}

}  // namespace ultradict
