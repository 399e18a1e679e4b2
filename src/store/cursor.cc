// SPDX-License-Identifier: Apache-2.0
// The walk along the chain while others change it.
//
// A step from one entry to the next counts if, after the next was read, the entry left still belongs to the same key
// and still leads there. If it does not, the walk goes on from an earlier one that still does, or from the end of the
// chain, and passes over what was yielded already: `born` grows along the chain, whatever happens to it.
#include "store/nested.h"
#include "store/reader.h"
#include "store/report.h"
#include "ultradict/dict.h"

namespace ultradict {

namespace {

Word successor(Links links, bool forward) { return forward ? links.next() : links.previous(); }

}  // namespace

struct Cursor::Walk {
  Cursor& cursor;
  Store& store;
  Word table;
  bool forward;

  Fault load(Word number, Entry** entry) const {
    if (number >= shared::load(store.state().entries_size)) return Fault::of(Code::changed);
    return store.regions.entry(table, number, entry);
  }

  bool is_ahead(Word born) const { return forward ? born > cursor.last_born_ : born < cursor.last_born_; }
  bool is_too_late(Word born) const { return forward && born >= cursor.end_born_; }

  // The newest of the last steps whose entry still belongs to its key; entry 0 if there is none.
  Step start() const {
    if (cursor.table_number_ != table) return {};
    const std::uint64_t oldest = cursor.step_count_ > steps_kept ? cursor.step_count_ - steps_kept : 0;
    for (std::uint64_t i = cursor.step_count_; i > oldest; --i) {
      const Step step = cursor.steps_[(i - 1) % steps_kept];
      Entry* entry = nullptr;
      if (!load(step.entry, &entry) && shared::load(entry->born) == step.born) return step;
    }
    return {};
  }

  // Where the first and the last entry are named.
  Fault find_ends(const Word** ends) const {
    *ends = &store.state().ends;
    if (cursor.dict_.number == 0) return {};
    if (Fault fault = check_alive(store, cursor.dict_)) return fault;
    Entry* header = nullptr;
    const Fault fault = load(cursor.dict_.number, &header);
    if (!fault) *ends = &header->links;
    return fault;
  }

  // The entry behind `from` (0: the first), with its born; number 0 at the end. changed: the step does not count.
  Fault step(Step from, Step* to, Entry** entry) const {
    *to = {};
    Entry* left = nullptr;
    if (from.entry != 0) {
      if (Fault fault = load(from.entry, &left)) return fault;
    }
    const Word* ends = nullptr;
    if (Fault fault = find_ends(&ends)) return fault;
    const Word& word = left ? left->links : *ends;
    const Links links{shared::load(word)};
    // The ends are kept as links: first, last.
    const Word number = left ? successor(links, forward) : successor(links, !forward);
    if (number != 0) {
      if (Fault fault = load(number, entry)) return fault;
      to->entry = static_cast<std::uint32_t>(number);
      to->born = shared::load((*entry)->born);
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    const bool stays = left ? shared::load(left->born) == from.born : !check_alive(store, cursor.dict_);
    const Links again{shared::load(word)};
    const Word number_again = left ? successor(again, forward) : successor(again, !forward);
    return stays && number_again == number ? Fault::none() : Fault::of(Code::changed);
  }

  Fault yield(Step to, const Entry& entry, Sighting* seen, Buffer* buffer, Record* record) const {
    if (buffer) {
      if (Fault fault = read_entry(store, to.entry, to.born, seen, buffer, record)) return fault;
    } else {
      const Word ref = shared::load(entry.ref);
      if (ref == 0 || HeaderMark{ref}.is_header() || shared::load(entry.born) != to.born)
        return Fault::of(Code::changed);
      seen->ref_word = reinterpret_cast<const std::atomic<std::uint64_t>*>(&entry.ref);
      seen->table_word = reinterpret_cast<const std::atomic<std::uint64_t>*>(&store.state().table_number);
      seen->ref = ref;
      seen->table_number = table;
      seen->sequence = 0;
      seen->born = to.born;
      seen->entry = to.entry;
    }
    note(to);
    return {};
  }

  void note(Step to) const {
    if (cursor.table_number_ != table) cursor.step_count_ = 0;
    cursor.table_number_ = table;
    cursor.steps_[cursor.step_count_++ % steps_kept] = to;
    cursor.last_born_ = to.born;
  }

  // The next key that is there, from behind `at`, which follows it.
  Fault advance(Step* at, Entry** entry) const {
    const Word bound = shared::load(store.state().entries_size);
    for (Word steps = 0; steps <= bound; ++steps) {
      Step to;
      if (Fault fault = step(*at, &to, entry)) return fault;
      if (shared::load(store.state().table_number) != table) return Fault::of(Code::changed);
      if (to.entry == 0 || is_too_late(to.born)) return Fault::of(Code::not_found);
      *at = to;
      // An entry without a ref is about to be inserted, or to be deleted.
      const Word ref = shared::load((*entry)->ref);
      if (is_ahead(to.born) && ref != 0 && !HeaderMark{ref}.is_header()) return {};
    }
    return Fault::damaged("chain: it does not end", bound);
  }

  Fault once(Sighting* seen, Buffer* buffer, Record* record) const {
    if (table % 2 != 0) return Fault::of(Code::changed);
    Step at = start();
    Entry* entry = nullptr;
    if (Fault fault = advance(&at, &entry)) return fault;
    return yield(at, *entry, seen, buffer, record);
  }

  Fault some(std::span<Passed> passed, std::size_t* count) const {
    *count = 0;
    if (table % 2 != 0) return Fault::of(Code::changed);
    Step at = start();
    Entry* entry = nullptr;
    Fault fault;
    while (*count < passed.size() && !(fault = advance(&at, &entry))) {
      note(at);
      passed[(*count)++] = {reinterpret_cast<const std::atomic<std::uint64_t>*>(&entry->ref),
                            reinterpret_cast<const std::atomic<std::uint64_t>*>(&entry->born), at.born, at.entry};
    }
    return *count != 0 ? Fault::none() : fault;
  }
};

Cursor::Cursor(const Dict& dict, Direction direction) noexcept
    : store_(dict.store_),
      dict_(dict.child_),
      direction_(direction),
      last_born_(direction == Direction::backward ? ~Word{0} : 0),
      end_born_(~Word{0}) {
  // A key that is deleted and inserted anew while we walk is born at the tail as it is now, or later.
  if (store_ && direction == Direction::forward) end_born_ = Ref{shared::load(store_->state().tail)}.position();
}

Cursor::Cursor(const Dict& dict, const Sighting& after) noexcept
    : store_(dict.store_),
      dict_(dict.child_),
      direction_(Direction::following),
      table_number_(after.table_number),
      last_born_(after.born),
      end_born_(~Word{0}) {
  steps_[step_count_++] = Step{after.entry, after.born};
}

template <typename Attempt>
Status Cursor::retry(const Attempt& attempt) {
  if (!store_) return Status(Code::closed);
  const auto once = [&] {
    const Word table = shared::load(store_->state().table_number);
    const Walk walk{*this, *store_, table, direction_ != Direction::backward};
    const Fault fault = attempt(walk);
    const bool replaced = shared::load(store_->state().table_number) != table;
    return fault && replaced ? Fault::of(Code::changed) : fault;
  };
  {
    const ReadGuard guard(store_->regions);
    for (int tries = 0; tries < retries_max; ++tries) {
      const Fault fault = once();
      if (fault.code != Code::changed) return report(fault, store_->name);
    }
  }
  const Entered entered(*store_, Wait{reader_wait_ns});
  return report(entered.fault() ? entered.fault() : once(), store_->name);
}

Status Cursor::next(Sighting* seen, Buffer* buffer, Record* record) {
  return retry([&](const Walk& walk) { return walk.once(seen, buffer, record); });
}

Status Cursor::next_some(std::span<Passed> passed, std::size_t* count, std::uint64_t* table_number) {
  return retry([&](const Walk& walk) {
    *table_number = walk.table;
    return walk.some(passed, count);
  });
}

}  // namespace ultradict
