// SPDX-License-Identifier: Apache-2.0
// Slots: the hash table: an array of words that lead from a key's hash to its entry. Open addressing, linear probing.
// It grows before more than used_max of them are used, unless there is no memory for that; a probe of a full one ends
// where it began.
//
// The array is derived: it can be built anew from the entries at any time.
// Readers probe without the lock, while words change. That is right because a word changes in one store, a used word is
// never moved, and a deleted one stays as a tombstone: a key that was there all the time is met. A key that is deleted
// and inserted anew behind the reader was absent for a moment inside the read, and may be reported so.
#pragma once

#include "base/fault.h"
#include "base/shared_atomic.h"
#include "layout.h"

namespace ultradict {

class Slots {
 public:
  Slots() = default;
  Slots(Word* words, Word bits) : words_(words), mask_((Word{1} << bits) - 1) {}

  Word count() const { return mask_ + 1; }
  Word& word(Word number) const { return words_[number]; }
  Slot at(Word number) const { return Slot{shared::load(words_[number])}; }
  Word home(Word hash) const { return hash & mask_; }
  Word after(Word number) const { return (number + 1) & mask_; }
  void prefetch(Word hash) const { __builtin_prefetch(&words_[home(hash)]); }

  static Word used_max(Word count) { return count - count / 16; }

  // Calls visit(slot number, entry number) for each used slot of this hash's tag, until it answers true; `*stopped`
  // says whether it did. Damaged words end the probe with a fault.
  template <typename Visit>
  [[gnu::always_inline]] Fault probe(Word hash, bool* stopped, const Visit& visit) const {
    Word number = home(hash);
    for (Word looked = 0; looked <= mask_; ++looked, number = after(number)) {
      const Slot slot = at(number);
      if (slot.is_empty()) break;
      if (!slot.is_intact()) return Fault::damaged("slot: check bits", slot.word, number);
      if (slot.is_tombstone() || slot.tag() != Slot::tag_of(hash)) continue;
      if ((*stopped = visit(number, slot.entry()))) return {};
    }
    *stopped = false;
    return {};
  }

  // True: no slot of this hash's tag before an empty one. False is no answer.
  bool is_absent(Word hash) const {
    Word number = home(hash);
    for (Word looked = 0; looked <= mask_; ++looked, number = after(number)) {
      const Slot slot = at(number);
      if (slot.is_empty()) return true;
      if (!slot.is_intact() || (slot.tag() == Slot::tag_of(hash) && !slot.is_tombstone())) return false;
    }
    return false;
  }

  // Where a new key of that hash goes; count() if every slot is used. Only under the lock.
  Word place_for(Word hash) const {
    Word number = home(hash);
    for (Word looked = 0; looked <= mask_; ++looked, number = after(number)) {
      if (at(number).is_empty() || at(number).is_tombstone()) return number;
    }
    return count();
  }

  // The slot that leads to the entry; count() if there is none. Only under the lock.
  Word find_entry(Word hash, Word entry) const {
    Word found = count();
    bool stopped = false;
    const Fault fault = probe(hash, &stopped, [&](Word number, Word candidate) {
      found = number;
      return candidate == entry;
    });
    return !fault && stopped ? found : count();
  }

 private:
  Word* words_ = nullptr;
  Word mask_ = 0;
};

}  // namespace ultradict
