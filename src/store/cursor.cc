// SPDX-License-Identifier: Apache-2.0
// The walk along the chain while others change it.
//
// A step from one entry to the next counts if, after the next was read, the entry left still belongs to the same key
// and still leads there. If it does not, the walk goes on from an earlier one that still does, or from the end of the
// chain, and passes over what was yielded already: `born` grows along the chain, whatever happens to it.
//
// Of the steps before the last few it keeps some at distances that double, so that it goes back about as far as was
// deleted behind it; and what it passes over then counts as the newest steps, so that it does so once.
#include <algorithm>
#include <bit>

#include "store/nested.h"
#include "store/reader.h"
#include "store/report.h"
#include "store/retry.h"
#include "store/sighting.h"
#include "ultradict/dict.h"

namespace ultradict {

namespace {

Word successor(Links links, bool forward) { return forward ? links.next() : links.previous(); }

}  // namespace

// One attempt. It changes the cursor only when what it found counts; but that it went back and passed over what was
// yielded already is always noted: the next attempt goes on from there.
struct Cursor::Walk {
  // An entry of the chain, and the key it belonged to when it was reached. entry null: before the first one, or behind
  // the last one.
  struct At {
    Step step;
    Entry* entry = nullptr;
  };

  Walk(Cursor& of, Word table_number)
      : cursor(of),
        store(*of.store_),
        table(table_number),
        forward(of.direction_ != Direction::backward),
        last_born(of.last_born_) {}

  Cursor& cursor;
  Store& store;
  Word table;
  bool forward;
  Word last_born;
  // The extent that the walk is in, as far as it is allocated.
  Entry* extent = nullptr;
  Word extent_begin = 0;
  Word extent_count = 0;

  [[gnu::always_inline]] Fault load(Word number, Entry** entry) {
    if (number - extent_begin >= extent_count) {
      if (Fault fault = find_extent(number)) return fault;
    }
    *entry = extent + (number - extent_begin);
    return {};
  }

  [[gnu::noinline]] Fault find_extent(Word number) {
    const Word allocated = shared::load(store.state().entries_size);
    if (number >= allocated) return Fault::of(Code::changed);
    const Word which = Regions::extent_of(number);
    const Word end = std::min(Regions::extent_end(which), allocated);
    Entry* last = nullptr;
    if (Fault fault = store.regions.entry(table, end - 1, &last)) return fault;
    extent_begin = Regions::extent_begin(which);
    extent_count = end - extent_begin;
    extent = last - (extent_count - 1);
    return {};
  }

  bool is_ahead(Word born) const { return forward ? born > last_born : born < last_born; }
  bool is_too_late(Word born) const { return forward && born >= cursor.end_born_; }
  bool is_settled() const { return table % 2 == 0; }
  bool counts() const {
    shared::acquire_fence();
    return shared::load(store.state().table_number) == table;
  }

  // The nearest of the steps kept whose entry still belongs to its key; before the first entry if there is none.
  At start() {
    if (cursor.table_number_ != table) return {};
    const std::uint64_t oldest = cursor.step_count_ > steps_kept ? cursor.step_count_ - steps_kept : 0;
    for (std::uint64_t i = cursor.step_count_; i > oldest; --i) {
      const Step step = cursor.steps_[(i - 1) % steps_kept];
      Entry* entry = nullptr;
      if (!load(step.entry, &entry) && shared::load(entry->born) == step.born) return {step, entry};
    }
    return start_far_back();
  }

  [[gnu::noinline]] At start_far_back() {
    At nearest;
    for (const Step step : cursor.far_steps_) {
      Entry* entry = nullptr;
      const bool is_nearer = !nearest.entry || (step.born > nearest.step.born) == forward;
      if (step.entry == 0 || !is_nearer || load(step.entry, &entry)) continue;
      if (shared::load(entry->born) == step.born) nearest = {step, entry};
    }
    if (nearest.entry) cursor.far_steps_[0] = nearest.step;
    return nearest;
  }

  [[gnu::always_inline]] Fault reach(Word number, At* at) {
    *at = {};
    if (number == 0) return {};
    if (Fault fault = load(number, &at->entry)) return fault;
    at->step = {static_cast<std::uint32_t>(number), shared::load(at->entry->born)};
    return {};
  }

  // Not of a life that ended, or of none, before it was led to again.
  bool is_of_one_life(const At& at) const {
    return !at.entry || (at.step.born != 0 && shared::load(at.entry->born) == at.step.born);
  }

  // Where the first and the last entry are named, as links.
  Fault find_ends(const Word** ends) {
    *ends = &store.state().ends;
    if (cursor.dict_.number == 0) return {};
    if (Fault fault = check_alive(store, cursor.dict_)) return fault;
    Entry* header = nullptr;
    const Fault fault = load(cursor.dict_.number, &header);
    if (!fault) *ends = &header->links;
    return fault;
  }

  [[gnu::noinline]] Fault first(At* at) {
    const Word* ends = nullptr;
    if (Fault fault = find_ends(&ends)) return fault;
    const Word number = successor(Links{shared::load(*ends)}, !forward);
    if (Fault fault = reach(number, at)) return fault;
    shared::acquire_fence();
    const bool stays = !check_alive(store, cursor.dict_);
    if (!stays || successor(Links{shared::load(*ends)}, !forward) != number) return Fault::of(Code::changed);
    return is_of_one_life(*at) ? Fault::none() : Fault::of(Code::changed);
  }

  // Goes on to the next entry of the chain. changed: the step does not count.
  [[gnu::always_inline]] Fault step(At* at) {
    if (!at->entry) return first(at);
    const At left = *at;
    const Word number = successor(Links{shared::load(left.entry->links)}, forward);
    if (Fault fault = reach(number, at)) return fault;
    shared::acquire_fence();
    const bool stays = shared::load(left.entry->born) == left.step.born;
    const bool leads = successor(Links{shared::load(left.entry->links)}, forward) == number;
    if (!stays || !leads) return Fault::of(Code::changed);
    return is_of_one_life(*at) ? Fault::none() : Fault::of(Code::changed);
  }

  // Behind the entries used in this table lies what tables before left. Asked after the ref, which is stored later.
  Fault expect_used(const At& at) const {
    const Word used = shared::load(store.state().entries_used);
    return at.step.entry < used ? Fault::none() : Fault::damaged("chain: an entry not used yet", at.step.entry, used);
  }

  // Goes on to the next key that is there.
  Fault advance(At* at) {
    Word bound = control_entries;  // so many there are for sure
    for (Word steps = 0;; ++steps) {
      if (steps == bound) {
        if (Fault fault = store.regions.entry_count(table, &bound)) return fault;
        if (steps >= bound) return Fault::damaged("chain: it does not end", bound);
      }
      if (Fault fault = step(at)) return fault;
      if (!at->entry || is_too_late(at->step.born)) return Fault::of(Code::not_found);
      // An entry without a ref is about to be inserted, or to be deleted.
      const Word ref = shared::load(at->entry->ref);
      if (HeaderMark{ref}.is_header()) continue;
      if (!is_ahead(at->step.born)) {
        if (ref != 0) pass_over(at->step);
        continue;
      }
      if (ref != 0) return expect_used(*at);
      // Who follows would not come back to it.
      if (cursor.direction_ == Direction::following) return Fault::of(Code::changed);
    }
  }

  // Each step takes the place of the last but one of as many factors of two.
  void keep(Step step) const {
    cursor.steps_[cursor.step_count_++ % steps_kept] = step;
    if (cursor.step_count_ % steps_kept != 0) return;
    const int doublings = std::countr_zero(cursor.step_count_ / steps_kept);
    cursor.far_steps_[1 + std::min(doublings, far_steps_kept - 2)] = step;
  }

  void note(Step step) const {
    if (cursor.table_number_ != table) forget_steps();
    cursor.table_number_ = table;
    keep(step);
    cursor.last_born_ = step.born;
  }

  [[gnu::noinline]] void forget_steps() const {
    cursor.step_count_ = 0;
    std::ranges::fill(cursor.far_steps_, Step{});
  }

  [[gnu::noinline]] void pass_over(Step step) const {
    if (cursor.table_number_ != table) return;
    keep(step);
    cursor.far_steps_[0] = step;
  }

  Fault look(At at, Sighting* seen) const {
    const Word ref = shared::load(at.entry->ref);
    if (ref == 0 || HeaderMark{ref}.is_header() || shared::load(at.entry->born) != at.step.born)
      return Fault::of(Code::changed);
    *seen = sighting_of(store.state(), table, *at.entry, at.step.entry, ref, at.step.born);
    return {};
  }

  Fault once(Sighting* seen, Buffer* buffer, Record* record) {
    if (!is_settled()) return Fault::of(Code::changed);
    At at = start();
    if (Fault fault = advance(&at)) return fault;
    const Fault fault =
        buffer ? read_entry(store, table, at.step.entry, at.step.born, seen, buffer, record) : look(at, seen);
    if (fault) return fault.code == Code::not_found ? Fault::of(Code::changed) : fault;
    if (!counts()) return Fault::of(Code::changed);
    note(at.step);
    return {};
  }

  Fault some(std::span<Passed> passed, std::size_t* count) {
    std::size_t found = 0;
    *count = 0;
    if (!is_settled()) return Fault::of(Code::changed);
    At at = start();
    Fault fault;
    while (found < passed.size() && !(fault = advance(&at))) {
      last_born = at.step.born;
      passed[found++] = {&as_atomic(at.entry->ref), &as_atomic(at.entry->born), at.step.born, at.step.entry};
    }
    if (found == 0) return fault;
    if (!counts()) return Fault::of(Code::changed);
    const std::size_t kept = std::min<std::size_t>(found, steps_kept);
    for (const Passed& key : passed.subspan(found - kept, kept)) note({key.entry, key.born});
    *count = found;
    return {};
  }
};

namespace {

// Before which every key was born that is there now; one that comes while a walk is under way, or comes anew, is born
// there or later. What a batch has written so far comes with its end.
Word end_of_births(const State& state) {
  const Word tail = Ref{shared::load(state.tail)}.position();  // first: a batch that begins later begins behind it
  const Word batch = shared::load(state.batch_begin);
  return batch != 0 ? std::min(tail, batch) : tail;
}

}  // namespace

Cursor::Cursor(const Dict& dict, Direction direction) noexcept
    : store_(dict.store_), dict_(dict.child_), direction_(direction), last_born_(0), end_born_(~Word{0}) {
  if (!store_ || direction == Direction::following) return;
  (direction == Direction::forward ? end_born_ : last_born_) = end_of_births(store_->state());
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
    Walk walk(*this, table);
    const Fault fault = attempt(walk);
    const bool replaced = shared::load(store_->state().table_number) != table;
    return fault && replaced ? Fault::of(Code::changed) : fault;
  };
  const Fault fault = look_until_consistent(*store_, once);
  const bool is_torn = fault.code == Code::changed;
  return report(is_torn ? Fault::damaged("a step of a walk under the lock is not consistent") : fault, store_->name);
}

Status Cursor::next(Sighting* seen, Buffer* buffer, Record* record) {
  return retry([&](Walk& walk) { return walk.once(seen, buffer, record); });
}

Status Cursor::next_some(std::span<Passed> passed, std::size_t* count, std::uint64_t* table_number) {
  return retry([&](Walk& walk) {
    *table_number = walk.table;
    return walk.some(passed, count);
  });
}

}  // namespace ultradict
