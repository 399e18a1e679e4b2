// SPDX-License-Identifier: Apache-2.0
// Dict: an ordered hash map of byte strings in shared memory. START HERE.
//
//   ultradict::Dict dict;
//   std::string value;
//   ultradict::Status status = ultradict::Dict::open("settings", {}, &dict);
//   if (status) status = dict.put("colour", "blue");
//   if (status) status = dict.get("colour", &value);
//   if (!status) die(status.message());
//
// Any process that opens the same name sees the same keys. Keys and values are bytes here, without a meaning: what
// Python is to read, and what it wrote, goes through value.h: put(dict, "colour", "blue"). Python cannot read a key of
// mere bytes, nor the dict as a whole as long as it has one.
// A value may be a dict itself (open_child), to any depth.
//
// Thread and process safety
//   Reads never wait for a writer, nor for one that was killed half-way. (One that was outrun 64 times in a row asks
//   for the lock; if somebody keeps that for 5 s and it is outrun on and on, it fails with lock_timeout.) Writes take
//   the dict's lock for themselves unless the calling thread holds it already. One handle may be used by several
//   threads at once, except that open, close and the destructor need the handle to themselves. A Cursor and a Buffer
//   belong to one thread. After fork the child's copy of a handle works; it is a participant of its own and does not
//   hold the parent's lock.
//
// Consistency
//   Single-key operations are linearizable; all changes have one total order. put_all and clear happen wholly or not at
//   all, also under SIGKILL; a reader without the lock may see half of a put_all.
//
// Durability
//   An operation that returned ok survives the death of every process, unless the dict itself ends with its creator
//   (Options::auto_unlink). Nothing survives the machine.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ultradict/bytes.h"
#include "ultradict/inspect.h"
#include "ultradict/large_value.h"
#include "ultradict/options.h"
#include "ultradict/status.h"

namespace ultradict {

class Store;

// Which nested dict of a dict. number 0: the dict itself, the root.
struct ChildId {
  std::uint64_t number = 0;
  std::uint64_t born = 0;  // never the same for two nested dicts of one dict
  friend bool operator==(const ChildId&, const ChildId&) = default;
};

// A key as it is stored. Two keys are the same key when `canonical` is the same bytes. `face` says how the key looked
// to who inserted it (True, where the canonical form is that of 1); it is kept from the insertion until the deletion.
// `exotic` keys are only counted (Dict::exotic_count), for callers whose equality is finer than bytes.
struct Key {
  Bytes canonical;
  Bytes face = {};
  bool exotic = false;
};

// What a read or write saw of a key: enough to ask later, with two loads, whether it is still so.
//   current:  *table_word == table_number, then *ref_word == ref (both acquire): the value is unchanged. It was at the
//             first of the two, for a ref that is there now was there ever since. In this order, because the ref word
//             of a table that was replaced may be unmapped.
//   moved:    the ref differs but reread() says moved: same value, new place; it has updated `ref`.
// The table word stays mapped until close(), the ref word until the next clear() by whomever, or longer
// (Options::keeps_sightings). Where other threads use the dict, current() asks for the latter: they may unmap the ref
// word between its two loads.
// One that no call has filled in is of no key. Calls of Dict answer changed to it, try_put_at lock_busy; current() must
// not be asked.
struct Sighting {
  const std::atomic<std::uint64_t>* ref_word = nullptr;
  const std::atomic<std::uint64_t>* table_word = nullptr;
  std::uint64_t ref = 0;
  std::uint64_t table_number = 0;
  std::uint64_t sequence = 0;       // of the change that wrote this value: different value, different sequence
  std::uint64_t born = 0;           // sequence of the key's insertion
  std::uint64_t blob_checksum = 0;  // of the value, if it is a blob
  std::uint32_t entry = 0;

  bool current() const noexcept {
    return table_word->load(std::memory_order_acquire) == table_number &&
           ref_word->load(std::memory_order_acquire) == ref;
  }
};

// How far a copy of the dict has followed its changes; Dict::changes() moves it on. A new one has seen nothing.
struct Progress {
  std::uint64_t table_number = ~std::uint64_t{0};
  std::uint64_t stream = 0;    // the count of changes
  std::uint64_t position = 0;  // what was written from there on is yet to be seen
  std::uint64_t born_end = 0;  // a key inserted there or later is left for the next time: keys come in order
};

// A record as copied out into a Buffer; valid until that Buffer is used again.
struct Record {
  Bytes canonical;
  Bytes face;
  Bytes value;  // empty if the value is a blob or a nested dict
  bool exotic = false;
  bool is_blob = false;          // fetch it with Dict::read_blob
  ChildId child;                 // number 0: the value is no nested dict
  std::uint64_t value_size = 0;  // bytes, blob or not
  std::uint64_t sequence = 0;
};

struct Item {
  Key key;
  Bytes value;
  ChildId child = {};  // number 0: `value` is the value; otherwise this nested dict is
};

// How long a read waits for the lock in all, where it is outrun on and on.
inline constexpr std::int64_t reader_wait_ns = 5'000'000'000;

// How long to wait for the lock.
struct Wait {
  static constexpr std::int64_t forever = -1;
  std::int64_t timeout_ns = forever;  // 0: try once; negative: for ever. Signals do not end it
  bool spin = false;                  // never sleep in the kernel
};

class Dict {
 public:
  Dict() noexcept;
  Dict(Dict&&) noexcept;
  Dict& operator=(Dict&&) noexcept;
  ~Dict();  // close()

  // --- life ---
  // An open `*dict` is closed first, also if this fails then.
  static Status open(std::string_view name, const Options& options, Dict* dict);
  // Removes the name and, as soon as no process is attached, the files. `directory` and `id` as in Options.
  static Status unlink(std::string_view name, std::string_view directory = {}, std::string_view id = {});
  // A Cursor and a StagedValue of it go on, and keep the dict attached, also its lock if this thread has it: they end
  // first. With the last of all, the lock is given back.
  Status close();
  Status unlink();  // of exactly this dict: a newer one of the same name is left alone
  // The very end of a process that will not close all of its handles: leaves every dict it has open, and those that it
  // created end. Nothing is unmapped, so threads that still run do no harm; what they write may be lost.
  static void leave_all() noexcept;

  bool is_open() const noexcept;
  bool is_creator() const noexcept;  // this very handle created it (false in a forked child)
  const std::string& name() const noexcept;
  const std::string& id() const noexcept;          // unique for ever; "" if not open
  const std::string& attributes() const noexcept;  // as recorded at creation
  const Options& options() const noexcept;         // as recorded at creation

  // --- codes: what any call below may answer beside what is said there ---
  //   closed        the handle is not open
  //   dict_gone     it is of a nested dict that no key refers to any more
  //   damaged, internal; memory_full, os_error or forbidden where this process can open or map no more of the files
  //   lock_timeout  of a read, as said above. A write waits for the lock as long as its owner lives.
  // A write that puts something also answers as follows, and then nothing has changed:
  //   invalid_argument  a key of more than key_size_max bytes, or a value of more than value_size_max
  //   content_full      full_dump_size would be exceeded
  //   memory_full       there is no room, or max_bytes leaves none

  // --- one key ---
  // is_dict if the value is a nested dict. `key` must not lie in `*value`.
  Status get(Bytes key, std::string* value) const;
  Status contains(Bytes key) const;  // ok or not_found
  Status put(Bytes key, Bytes value);
  Status erase(Bytes key);  // ok or not_found
  std::uint64_t count() const noexcept;
  std::uint64_t exotic_count() const noexcept;
  std::uint64_t written() const noexcept;  // another number after each insertion and overwrite, in any nested dict too

  // --- all keys ---
  // In order; a key that occurs twice gets its last value. would_cycle, dict_gone of an item as of put_child.
  Status put_all(std::span<const Item> items);
  Status clear();

  // --- nested dicts: values that are dicts, in the same files and under the same lock ---
  // A nested dict lives as long as a key refers to it; then every call on a handle of it answers dict_gone, or changed
  // for a key known by a Sighting.
  Status open_child(Bytes key, Dict* child) const;  // not_found, no_such_dict if the value is none
  Status open_child(ChildId id, Dict* child) const;
  // The key refers to `child`, of the same dict, from now on too. would_cycle if this dict lies in it.
  Status put_child(const Key& key, const Dict& child, Sighting* written = nullptr);
  Status put_new_child(Bytes key, Dict* child);  // an empty one
  ChildId child_id() const noexcept;             // number 0: this is the root
  // How many keys refer to this nested dict; for the root 0.
  Status link_count(std::uint64_t* count) const;
  Status alive() const;  // ok, dict_gone
  // How many nested dicts of this dict, at whatever depth, ever came to their end.
  std::uint64_t children_ended() const noexcept;

  // --- one key, for callers that keep decoded values ---
  Status find(Bytes key, Sighting* seen, Buffer* buffer, Record* record) const;
  // The same entry again after its ref changed. ok: `record` is the new value, or the old one once more, which was only
  // moved elsewhere: then *moved is set. changed: the key was deleted (and perhaps inserted anew); find it again.
  Status reread(Sighting* seen, Buffer* buffer, Record* record, bool* moved) const;
  Status put(const Key& key, Bytes value, Sighting* written);
  // Overwrites the value of a key known by a Sighting (its ref may be old). changed: the key is gone, nothing was done.
  Status put_at(Sighting* seen, Bytes value);
  // The same two, of at most blob_size_min bytes, if that is quickly done: the lock is free at this moment, there is
  // room, and (try_put) no key of the dict is exotic. lock_busy if not, and nothing was done.
  Status try_put(const Key& key, Bytes value, Sighting* written);
  Status try_put_at(Sighting* seen, Bytes value);
  Status erase_at(const Sighting& seen);  // changed as above
  // Copies the blob that `seen` names. changed: overwritten meanwhile; reread. `size` is record.value_size: with
  // another one what is there looks damaged.
  Status read_blob(const Sighting& seen, std::uint64_t size, char* destination) const;
  const std::atomic<std::uint64_t>& table_word() const noexcept;
  // For who keeps sightings: unmaps tables that clear() replaced and, as after any read, what else is gone. Only when
  // no thread is between the two loads of Sighting::current(), of this handle or of another one of this dict.
  void release_old_tables() noexcept;

  // --- large values (large_value.h) ---
  // Writes the parts one behind the other. invalid_argument if they are not more than blob_size_min bytes together.
  Status stage(std::span<const Bytes> parts, StagedValue* staged) const;
  // As put of bytes. Afterwards nothing is staged; if it fails, it still is.
  Status put(const Key& key, StagedValue* staged, Sighting* written);
  Status put_at(Sighting* seen, StagedValue* staged);
  // The value in place. not_found, is_dict as get; invalid_argument if it is a small one: get() it.
  Status map(Bytes key, MappedValue* mapped) const;
  // The same of a record that was just read: `size` is its value_size. changed as read_blob.
  Status map_blob(const Sighting& seen, std::uint64_t size, MappedValue* mapped) const;

  // --- all keys, for callers that keep a copy ---
  // Whether anything may have happened after `progress`: three loads.
  bool changed_since(const Progress& progress) const noexcept;
  // The entries that changed after `progress` or may have, each once: enough for reread(), with `born` 0 if it has no
  // key now, `sequence` 0. Costs what was written since, whatever is there. `*progress` moves on. What was in
  // `*changed` is gone. An entry may be that of another key by now, and a key that was deleted and inserted anew may
  // come at its new entry before its old one comes: who keeps keys by entry first forgets what all these entries had.
  // changed: it was of another table, or new. Now it is of this one; everything is to be read again, with a Cursor made
  // after this call.
  Status changes(Progress* progress, std::vector<Sighting>* changed) const;

  // --- the lock: one per dict, re-entrant per thread, whichever handle it is taken through ---
  Status lock(const Wait& wait = {});  // ok, lock_busy (timeout 0), lock_timeout
  // Without a system call: true if it was free and is left to nobody who has waited long, or is this thread's. A dead
  // owner's lock, and one that is left to the dead, is only had by lock(): who polls asks lock(Wait{0}).
  bool try_lock() noexcept;
  Status unlock();                 // not_owner if this thread does not hold it
  bool has_lock() const noexcept;  // this thread
  Owner owner() const noexcept;

  // Whether this process, through any handle, repaired what an owner of the lock that died left behind, and nobody was
  // told; take_recovery answers once, with that owner's pid, 0 if unknown.
  bool has_recovery() const noexcept;
  bool take_recovery(std::int32_t* pid) noexcept;

  // --- care ---
  Status clean();  // moves every live record to the tail and gives back what is free
  Status dump();   // clean, and starts the stream counters anew
  Stats stats() const;
  Findings check() const;  // takes the lock

 private:
  friend class ChildBuilder;
  friend class Cursor;
  std::shared_ptr<Store> store_;
  ChildId child_;
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// A key that a cursor passed, without its record. It was there at that moment; it still is, whatever its value, as long
// as *born_word == born. The words stay mapped as those of a Sighting do.
struct Passed {
  const std::atomic<std::uint64_t>* ref_word = nullptr;
  const std::atomic<std::uint64_t>* born_word = nullptr;
  std::uint64_t born = 0;
  std::uint32_t entry = 0;
};

// A walk in insertion order that never blocks and never fails because another process writes: it meets each key at most
// once, and every key that was there throughout.
class Cursor {
 public:
  enum class Direction : std::uint8_t {
    forward,    // of the keys inserted so far
    backward,   // likewise
    following,  // forward, and on to what is inserted later: at the end it may be asked again and again. A key that was
                // deleted and inserted anew is met again
  };

  explicit Cursor(const Dict& dict, Direction direction = Direction::forward) noexcept;
  // Following, from behind a key seen before.
  Cursor(const Dict& dict, const Sighting& after) noexcept;

  // The next key: ok, or not_found at the end.
  // With `buffer` null only `seen` is set, and `seen->sequence` is 0.
  Status next(Sighting* seen, Buffer* buffer = nullptr, Record* record = nullptr);
  // The next keys, as many as there is room for and at least one: ok, or not_found at the end. All are of one table.
  Status next_some(std::span<Passed> passed, std::size_t* count, std::uint64_t* table_number);

 private:
  static constexpr int steps_kept = 8;
  static constexpr int far_steps_kept = 24;
  struct Step {
    std::uint32_t entry = 0;
    std::uint64_t born = 0;
  };
  std::shared_ptr<Store> store_;
  ChildId dict_;
  Direction direction_;
  std::uint64_t table_number_ = 0;
  std::uint64_t last_born_;
  std::uint64_t end_born_;  // of keys inserted too late for this walk
  Step steps_[steps_kept];  // the last yielded ones, newest at step_count_ - 1 modulo steps_kept
  std::uint64_t step_count_ = 0;
  // Where it went on when it last had to go back behind all of those, then older steps, each about twice as far back as
  // the one before it. entry 0: none yet.
  Step far_steps_[far_steps_kept];

  struct Walk;  // one attempt, in cursor.cc
  template <typename Attempt>
  Status retry(const Attempt& attempt);
};

// Holds the lock for a scope, in which the dict must stay open and where it is.
class LockGuard {
 public:
  explicit LockGuard(Dict& dict) : dict_(dict), status_(dict.lock()) {}
  ~LockGuard() {
    if (status_) (void)dict_.unlock();
  }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;
  const Status& status() const noexcept { return status_; }

 private:
  Dict& dict_;
  Status status_;
};

// Makes nested dicts that nothing refers to yet, to be filled before anybody can see them. Holds the lock for its
// scope; what no key refers to at its end is freed, also if the process dies before.
class ChildBuilder {
 public:
  explicit ChildBuilder(Dict& dict);
  ~ChildBuilder();
  ChildBuilder(const ChildBuilder&) = delete;
  ChildBuilder& operator=(const ChildBuilder&) = delete;
  const Status& status() const noexcept { return guard_.status(); }

  Status make(Dict* child);

 private:
  Dict& dict_;
  LockGuard guard_;
  bool outermost_ = false;
};

}  // namespace ultradict
