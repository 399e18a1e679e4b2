// SPDX-License-Identifier: Apache-2.0
// Glance: a look-up that answers only if all is as usual: what it needs is mapped, the record is short and has a plain
// value, and nobody changed anything meanwhile. Who gets no answer looks with care (reader.h) and finds out why.
//
// Nearly every read ends here. It is one function without faults to carry, so that what it knows stays in registers: a
// processor then looks for one key while it still waits for the memory of another.
#pragma once

#include <algorithm>
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

// A record that was copied and is whole. `entry` null: no answer.
struct Glimpse {
  Entry* entry = nullptr;
  Word number = 0;  // of the entry
  Word table = 0;
  Word born = 0;
  Word ref = 0;  // this and the next four are the words of its header
  Word sequence = 0;
  Word owner = 0;
  Word checksum_and_key = 0;
  Word sizes_and_kind = 0;
  const char* bytes = nullptr;

  explicit operator bool() const { return entry != nullptr; }
  Word dict() const { return owner >> 32; }
  Word key_size() const { return checksum_and_key >> 32; }
  Word face_size() const { return sizes_and_kind & 0xffffffff; }
  Word value_size() const { return sizes_and_kind >> 32 & 0xffff; }
  Bytes key() const { return {bytes + sizeof(RecordHeader), key_size()}; }
  Bytes value() const { return {bytes + sizeof(RecordHeader) + key_size() + face_size(), value_size()}; }
};

[[gnu::always_inline]] inline void describe(const Glimpse& glimpse, Found* found) {
  found->entry = glimpse.entry;
  found->number = glimpse.number;
  found->table = glimpse.table;
  found->born = glimpse.born;
  char* const header = reinterpret_cast<char*>(&found->view.header);
  store_singly(header, glimpse.ref);
  store_singly(header + 8, glimpse.sequence);
  store_singly(header + 16, glimpse.owner);
  store_singly(header + 24, glimpse.checksum_and_key);
  store_singly(header + 32, glimpse.sizes_and_kind);
  found->view.bytes = glimpse.bytes;
}

// Of the entry of that number in that table; `copy` has glance_size bytes.
[[gnu::always_inline]] inline Glimpse glance_at(const Regions& regions, Word table, Word number, char* copy) {
  Entry* const entry = number != 0 ? regions.known_entry(table, number) : nullptr;
  if (!entry) return {};
  const Word born = shared::load(entry->born);
  const Ref ref{shared::load(entry->ref)};
  if (!ref || born == 0 || HeaderMark{ref.word}.is_header()) return {};
  if (number >= shared::load(regions.state().entries_used)) return {};  // left by a table before

  const SegmentWitness witness(regions.control(), ref.segment());
  if (witness.file() == 0 || ref.position() < witness.first()) return {};
  Word end = 0;
  const char* const base = regions.known_segment(ref.segment(), witness.file(), &end);
  const Word offset = (ref.position() - witness.first()) * unit_size;
  if (!base || offset + sizeof(RecordHeader) > end) return {};

  const char* const record = base + offset;
  static_assert(sizeof(RecordHeader) == 5 * sizeof(Word));
  Glimpse seen{nullptr, number, table, born, copy_word(copy, record, 0)};
  seen.sequence = copy_word(copy, record, 8);
  seen.owner = copy_word(copy, record, 16);
  seen.checksum_and_key = copy_word(copy, record, 24);
  seen.sizes_and_kind = copy_word(copy, record, 32);
  const bool is_plain = (seen.sizes_and_kind >> 48 & 0xff) == Word(RecordKind::value);
  const bool is_own = (seen.owner & 0xffffffff) == number && seen.sequence >= born;
  if (seen.ref != ref.word || !is_plain || !is_own) return {};
  const Word size = record_size(seen.key_size(), seen.face_size(), seen.value_size());
  if (size > glance_size || offset + size > end) return {};
  for (Word done = sizeof(RecordHeader); done < size; done += sizeof(Word)) copy_word(copy, record, done);

  if (!witness.holds() || shared::load_relaxed(entry->born) != born) return {};
  if (checksum_of_copy(copy, size, seen.key_size()) != static_cast<std::uint32_t>(seen.checksum_and_key)) return {};
  seen.bytes = copy;
  seen.entry = entry;
  return seen;
}

// The number of the entry that the hash seems to lead to; 0: no answer. It is for the record to say whose it is.
//
// Which of four slots is the first with the tag is found without a branch: nothing is looked up ahead of one that was
// guessed wrong.
[[gnu::always_inline]] inline Word entry_at_a_glance(const Word* slots, SlotsName name, Word hash) {
  const Word mask = name.count() - 1;
  if (mask < 3) return 0;
  Word first = std::min(hash & mask, mask - 3);
  for (Word groups = 1;; ++groups) {
    const auto slot = [&](Word i) { return Slot{shared::load(slots[first + i])}; };
    const Slot a = slot(0);
    const Slot b = slot(1);
    const Slot c = slot(2);
    const Slot d = slot(3);
    Slot found{0};
    found.word = d.has_tag_of(hash) ? d.word : found.word;
    found.word = c.has_tag_of(hash) ? c.word : found.word;
    found.word = b.has_tag_of(hash) ? b.word : found.word;
    found.word = a.has_tag_of(hash) ? a.word : found.word;
    if (found.word != 0) [[likely]]
      return found.entry();
    first += 4;
    if (a.is_empty() || b.is_empty() || c.is_empty() || d.is_empty() || groups == 4 || first > mask - 3) return 0;
  }
}

// Of a key of the dict with that number, in its life or after it.
[[gnu::always_inline]] inline Glimpse glance(const Regions& regions, Word dict, Bytes key, Word hash, char* copy) {
  const State& state = regions.state();
  const Word table = shared::load(state.table_number);
  const SlotsName name{shared::load(state.slots)};
  const Word* const slots = regions.known_slots(name);
  if (!slots || table % 2 != 0) return {};
  const Glimpse seen = glance_at(regions, table, entry_at_a_glance(slots, name, hash), copy);
  if (!seen || seen.dict() != dict || !is_same(seen.key(), key)) return {};
  const bool holds =
      shared::load_relaxed(state.table_number) == table && shared::load_relaxed(state.slots) == name.word;
  return holds ? seen : Glimpse{};
}

}  // namespace ultradict
