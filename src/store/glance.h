// SPDX-License-Identifier: Apache-2.0
// Glance: a look-up that answers only if all is as usual: what it needs is mapped, the record is short and has a plain
// value, and nobody changed anything meanwhile. Who gets no answer looks with care (reader.h) and finds out why.
//
// Nearly every read ends here. It is one function without faults to carry, so that what it knows stays in registers: a
// processor then looks for one key while it still waits for the memory of another.
#pragma once

#include <algorithm>
#include <array>
#include <bit>

#include "store/regions.h"
#include "store/witness.h"
#include "structures/record.h"

namespace ultradict {

// A copy of the record that an entry names, in one life of its key; in the caller's buffer.
struct Found {
  Entry* entry = nullptr;
  Word number = 0;  // of the entry
  Word table = 0;
  Word born = 0;
  RecordView view;
};

inline constexpr Word glance_size = 256;  // bytes of the longest record that a glance copies

// By a store of its own: a compiler would load and store several words together, and what was just stored singly could
// not be loaded together before it has reached memory.
[[gnu::always_inline]] inline void store_singly(void* to, Word word) {
  using Aliasing [[gnu::may_alias]] = Word;
  __atomic_store_n(static_cast<Aliasing*>(to), word, __ATOMIC_RELAXED);
}

// A word of a record, copied.
[[gnu::always_inline]] inline Word copy_word(char* copy, const char* source, Word offset) {
  const Word word = shared::load_relaxed(*reinterpret_cast<const Word*>(source + offset));
  store_singly(copy + offset, word);
  return word;
}

// In line: operator== of std::string_view is a call, and so is memcmp.
[[gnu::always_inline]] inline bool is_same(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  for (; a.size() >= sizeof(Word); a.remove_prefix(sizeof(Word)), b.remove_prefix(sizeof(Word))) {
    Word one;
    Word other;
    std::memcpy(&one, a.data(), sizeof one);
    std::memcpy(&other, b.data(), sizeof other);
    if (one != other) return false;
  }
  return a.empty() || small_word(a.data(), a.size()) == small_word(b.data(), b.size());
}

// Of the entry of that number in that table; `copy` has glance_size bytes. False is no answer.
[[gnu::always_inline]] inline bool glance_at(const Regions& regions, Word table, Word number, char* copy,
                                             Found* found) {
  Entry* const entry = number != 0 ? regions.known_entry(table, number) : nullptr;
  if (!entry) return false;
  const Word born = shared::load(entry->born);
  const Ref ref{shared::load(entry->ref)};
  if (!ref || born == 0 || HeaderMark{ref.word}.is_header()) return false;
  if (number >= shared::load(regions.state().entries_used)) return false;  // left by a table before

  const SegmentWitness witness(regions.control(), ref.segment());
  if (witness.file() == 0 || ref.position() < witness.first()) return false;
  Word end = 0;
  const char* const base = regions.known_segment(ref.segment(), witness.file(), &end);
  const Word offset = (ref.position() - witness.first()) * unit_size;
  if (!base || offset + sizeof(RecordHeader) > end) return false;

  const char* const record = base + offset;
  static_assert(sizeof(RecordHeader) == 5 * sizeof(Word));
  const bool is_its_own = copy_word(copy, record, 0) == ref.word;
  const Word sequence = copy_word(copy, record, 8);
  const Word owner = copy_word(copy, record, 16);
  const Word key = copy_word(copy, record, 24);
  const Word value = copy_word(copy, record, 32);
  const Word size = record_size(key >> 32, value & 0xffffffff, value >> 32 & 0xffff);
  const bool is_plain = (value >> 48 & 0xff) == Word(RecordKind::value);
  if (!is_its_own || !is_plain || (owner & 0xffffffff) != number) return false;
  if (size > glance_size || offset + size > end) return false;
  for (Word done = sizeof(RecordHeader); done < size; done += sizeof(Word)) copy_word(copy, record, done);

  if (!witness.holds() || shared::load_relaxed(entry->born) != born) return false;
  found->entry = entry;
  found->number = number;
  found->table = table;
  found->born = born;
  const std::array<Word, 5> words = {ref.word, sequence, owner, key, value};
  char* const header = reinterpret_cast<char*>(&found->view.header);
  for (std::size_t i = 0; i < words.size(); ++i) store_singly(header + i * sizeof(Word), words[i]);
  found->view.bytes = copy;
  return !check_copy(copy, found->view.header);
}

// The number of the entry that the hash seems to lead to; 0: no answer. It is for the record to say whose it is.
//
// Which of four slots has the tag is found without a branch: nothing is looked up ahead of one that was guessed wrong.
[[gnu::always_inline]] inline Word entry_at_a_glance(const Word* slots, SlotsName name, Word hash) {
  const Word mask = name.count() - 1;
  if (mask < 3) return 0;
  Word first = std::min(hash & mask, mask - 3);
  for (Word groups = 1;; ++groups) {
    const auto slot = [&](Word i) { return Slot{shared::load(slots[first + i])}; };
    const auto if_it_has_the_tag = [&](Slot looked) { return looked.word & (Word{0} - Word{looked.has_tag_of(hash)}); };
    const Slot a = slot(0);
    const Slot b = slot(1);
    const Slot c = slot(2);
    const Slot d = slot(3);
    const Slot found{if_it_has_the_tag(a) | if_it_has_the_tag(b) | if_it_has_the_tag(c) | if_it_has_the_tag(d)};
    if (found.word != 0) [[likely]]
      return found.entry();
    first += 4;
    if (a.is_empty() || b.is_empty() || c.is_empty() || d.is_empty() || groups == 4 || first > mask - 3) return 0;
  }
}

// Of a key of the dict with that number, in its life or after it.
[[gnu::always_inline]] inline bool glance(const Regions& regions, Word dict, Bytes key, Word hash, char* copy,
                                          Found* found) {
  const State& state = regions.state();
  const Word table = shared::load(state.table_number);
  const SlotsName name{shared::load(state.slots)};
  const Word* const slots = regions.known_slots(name);
  if (!slots || table % 2 != 0) return false;
  const Word number = entry_at_a_glance(slots, name, hash);
  if (!glance_at(regions, table, number, copy, found) || found->view.header.dict_id != dict) return false;
  if (!is_same(found->view.key(), key)) return false;
  return shared::load_relaxed(state.table_number) == table && shared::load_relaxed(state.slots) == name.word;
}

}  // namespace ultradict
