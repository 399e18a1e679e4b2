// SPDX-License-Identifier: Apache-2.0
// Change: one step from one consistent state to the next, through the journal.
//
//   Change change(store.regions, held);
//   change.set(state.tail, ...);             prepare: the journal is filled, nobody looks at it
//   change.set(entry, Field::ref, ...);
//   change.commit();                         commit, apply, retire
//
// Commit is one release store of the journal word. Who dies before it changed nothing. From it on, whoever owns the
// lock next does all the stores again (redo), in order, as often as it takes: none depends on what is there, so that
// twice is once. Nothing is ever rolled back, for a reader may have seen it.
#pragma once

#include "base/fault.h"
#include "base/lock_held.h"
#include "base/shared_atomic.h"
#include "layout.h"
#include "store/regions.h"

namespace ultradict {

class Change {
 public:
  // Which word of an entry.
  enum class Field : std::uint8_t { ref = 0, hash = 1, born = 2, links = 3 };

  Change(Regions& regions, LockHeld held) : regions_(regions), journal_(regions.control().journal), held_(held) {}
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  // A word of control.
  [[gnu::always_inline]] void set(Word& word, Word value) {
    const auto offset = reinterpret_cast<const char*>(&word) - reinterpret_cast<const char*>(&regions_.control());
    add(Place::make(Place::Kind::control, static_cast<Word>(offset)), &word, value);
  }
  [[gnu::always_inline]] void set(Word number, Entry& entry, Field field, Word value) {
    add(Place::make(Place::Kind::entry, number * 4 + Word(field)), &entry.ref + int(field), value);
  }
  void set_slot(Word& word, Word number, Slot slot) { add(Place::make(Place::Kind::slot, number), &word, slot.word); }
  void set_next_slot(Word& word, Word number, Slot slot) {
    add(Place::make(Place::Kind::next_slot, number), &word, slot.word);
  }
  // Files that are dead once the stores before are done; they come last.
  void remove_file(FileKind kind, Word file) {
    State& state = regions_.state();
    set(state.removals, state.removals + 1);
    add(Place::make(Place::Kind::unlink_file, Word(kind)), nullptr, file);
  }
  void remove_blob(Word sequence) { add(Place::make(Place::Kind::unlink_blob, 0), nullptr, sequence); }
  void sweep_blobs(Word below) { add(Place::make(Place::Kind::sweep_blobs, 0), nullptr, below); }

  // Fails only with `internal`: then nothing of it is done.
  [[gnu::always_inline]] Fault commit() {
    Poison& poison = regions_.poison();
    if (!poison.asserts(regions_.own_lock(), "who commits a change owns the lock") || poison) [[unlikely]]
      return poison.fault();
    shared::store(journal_.word, commit_word(count_, checksum_));
    for (Word i = 0; i < count_; ++i) {
      const JournalStore& store = journal_.stores[i];
      if (targets_[i]) [[likely]] {
        shared::store(*targets_[i], store.value);
      } else {
        remove(regions_, held_, Place{store.place}, store.value);
      }
    }
    shared::store(journal_.word, 0);
    // The next change fills the journal by relaxed stores: the compiler must leave them behind this one.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return {};
  }

  // Does again what a dead owner committed, if anything. Whatever it finds in the journal is checked first.
  static Fault redo(Regions& regions, LockHeld held);

 private:
  [[gnu::always_inline]] void add(Place place, Word* target, Word value) {
    // A change has a fixed shape with a bound far below stores_max.
    if (!regions_.poison().asserts(count_ < stores_max, "the stores of a change fit into the journal")) return;
    JournalStore& store = journal_.stores[count_];
    shared::store_relaxed(store.place, place.word);
    shared::store_relaxed(store.value, value);
    checksum_ = add_to_checksum(checksum_, place.word, value);
    targets_[count_++] = target;
  }
  // Of the journal: it guards against damage alone, for a half-filled journal is never committed. Computed as the
  // stores are added: to read back what was just written would wait for it.
  static Word add_to_checksum(Word checksum, Word place, Word value) {
    return ((checksum ^ place) * 0x9e3779b97f4a7c15ULL ^ value) * 0xc2b2ae3d27d4eb4fULL;
  }
  static Word commit_word(Word count, Word checksum) { return count | checksum >> 32 << 32; }
  static void remove(const Regions& regions, LockHeld held, Place place, Word value);

  Regions& regions_;
  Journal& journal_;
  [[no_unique_address]] LockHeld held_;
  Word count_ = 0;
  Word checksum_ = 0;
  Word* targets_[stores_max];
};

// How an operation ends whose change has happened, when what follows from it (cleaning, the end of nested dicts) could
// not be done now: later writes do that. Damage is told all the same, ours and that of the memory.
inline Fault after_commit(const Fault& fault) {
  return fault.code == Code::damaged || fault.code == Code::internal ? fault : Fault::none();
}

}  // namespace ultradict
