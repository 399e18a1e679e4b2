// SPDX-License-Identifier: Apache-2.0
#include "store/nested.h"

#include <algorithm>
#include <new>
#include <unordered_set>
#include <vector>

#include "store/dict_header.h"
#include "store/table.h"
#include "store/writer.h"

namespace ultradict {

namespace {

Fault gone() { return Fault::of(Code::dict_gone); }

Fault living(Store& store, LockHeld held, ChildId id, DictHeader* header) {
  if (Fault fault = check_alive(store, id)) return fault;
  return DictHeader::find_nested(store, held, id.number, header);
}

// Calls visit(record) for each key of a dict.
template <typename Visit>
Fault visit_records(Store& store, LockHeld held, Word dict, const Visit& visit) {
  DictHeader header;
  if (Fault fault = DictHeader::find(store, held, dict, &header)) return fault;
  Word entries = 0;
  if (Fault fault = store.regions.entry_count(store.state().table_number, &entries)) return fault;
  Word number = header.ends().previous();
  for (Word left = std::min(header.count(), entries); number != 0; --left) {
    if (left == 0) return Fault::damaged("chain: it does not end", dict);
    Entry* entry = nullptr;
    RecordView view;
    if (Fault fault = store.regions.entry(store.state().table_number, number, &entry)) return fault;
    if (Fault fault = record_in_place(store, held, Ref{entry->ref}, &view)) return fault;
    visit(view);
    number = Links{entry->links}.next();
  }
  return {};
}

// Whether `wanted` is `from` or lies in it. Allocates under the lock, where nothing is half done.
Fault reaches(Store& store, LockHeld held, Word from, Word wanted, bool* found) try {
  std::vector<Word> to_look_at{from};
  std::unordered_set<Word> seen{from};
  while (!to_look_at.empty() && !(*found = seen.contains(wanted))) {
    const Word dict = to_look_at.back();
    to_look_at.pop_back();
    const Fault fault = visit_records(store, held, dict, [&](const RecordView& view) {
      if (view.is_child() && seen.insert(view.child().number).second) to_look_at.push_back(view.child().number);
    });
    if (fault) return fault;
  }
  return {};
} catch (const std::bad_alloc&) {
  return Fault::of(Code::memory_full, "no memory to look for a cycle");
}

void make_loose(State& state, Change& change, const DictHeader& header) {
  const HeaderMark mark = header.mark();
  if (mark.is_listed()) return;
  header.set_mark(change, HeaderMark::of(mark.exotic_count(), true, state.loose));
  change.set(state.loose, header.number());
}

Fault add_link(Store& store, LockHeld held, Change& change, const ChildValue& value) {
  DictHeader header;
  if (Fault fault = living(store, held, id_of(value), &header)) return fault;
  header.set_link_count(change, header.link_count() + 1);
  return {};
}

Fault drop_link(Store& store, LockHeld held, Change& change, const ChildValue& value) {
  DictHeader header;
  if (Fault fault = DictHeader::find_nested(store, held, value.number, &header)) return fault;
  if (header.born() != value.born) return Fault::damaged("nested dict: born", header.born(), value.born);
  if (header.link_count() == 0) return Fault::damaged("nested dict: links", value.number);
  header.set_link_count(change, header.link_count() - 1);
  if (header.link_count() == 1) make_loose(store.state(), change, header);
  return {};
}

// The first loose one leaves the list, for good or to its doom.
Fault settle_one(Store& store, LockHeld held) {
  State& state = store.state();
  DictHeader header;
  if (Fault fault = DictHeader::find_nested(store, held, state.loose, &header)) return fault;
  const HeaderMark mark = header.mark();
  if (!mark.is_listed()) return Fault::damaged("nested dict: loose", state.loose);
  const bool is_doomed = header.link_count() == 0;
  Change change(store.regions, held);
  if (is_doomed) header.set_born(change, 0);
  header.set_mark(change, HeaderMark::of(mark.exotic_count(), false, is_doomed ? state.doomed : 0));
  change.set(state.loose, mark.next());
  if (is_doomed) change.set(state.doomed, header.number());
  return change.commit();
}

Fault remove_first(Store& store, LockHeld held, const DictHeader& header) {
  Located first;
  if (Fault fault = locate_entry(store, held, header.ends().previous(), &first)) return fault;
  return remove_entry(store, held, first, Streamed::no);
}

// One key of the first doomed one goes, or its header.
Fault free_some(Store& store, LockHeld held) {
  State& state = store.state();
  DictHeader header;
  if (Fault fault = DictHeader::find_nested(store, held, state.doomed, &header)) return fault;
  if (header.born() != 0) return Fault::damaged("nested dict: doomed", state.doomed, header.born());
  if (header.ends().previous() != 0) return remove_first(store, held, header);
  Change change(store.regions, held);
  change.set(state.doomed, header.mark().next());
  header.give_back(change);
  return change.commit();
}

Fault settle_all(Store& store, LockHeld held) {
  const State& state = store.state();
  while ((state.loose | state.doomed) != 0) {
    if (Fault fault = state.loose != 0 ? settle_one(store, held) : free_some(store, held)) return fault;
  }
  return {};
}

Fault finish_emptying(Store& store, LockHeld held) {
  State& state = store.state();
  DictHeader header;
  if (Fault fault = DictHeader::find_nested(store, held, state.emptying, &header)) return fault;
  while (header.ends().previous() != 0) {
    if (Fault fault = remove_first(store, held, header)) return fault;
  }
  shared::store(state.emptying, 0);
  return {};
}

}  // namespace

Fault check_alive(Store& store, ChildId dict) {
  if (dict.number == 0) return {};
  const State& state = store.state();
  shared::acquire_fence();
  // A number below entries_used has been taken in this table, so that its words are not those of a table before.
  const Word table = shared::load(state.table_number);
  if (table % 2 != 0 || dict.number >= shared::load(state.entries_used)) return gone();
  Entry* entry = nullptr;
  const Fault fault = store.regions.entry(table, dict.number, &entry);
  const bool holds = !fault && shared::load(entry->born) == dict.born;
  shared::acquire_fence();
  if (shared::load_relaxed(state.table_number) != table) return gone();
  return fault ? fault : holds ? Fault::none() : gone();
}

NestedCounts counts_of_nested(Store& store, ChildId dict) {
  const ReadGuard guard(store.regions);
  Entry* header = nullptr;
  const Word table = shared::load(store.state().table_number);
  if (dict.number >= shared::load(store.state().entries_size)) return {};
  if (store.regions.entry(table, dict.number, &header)) return {};
  const HeaderCounts counts{shared::load(header->hash)};
  const HeaderMark mark{shared::load(header->ref)};
  return check_alive(store, dict) ? NestedCounts{} : NestedCounts{counts.keys(), mark.exotic_count()};
}

Fault make_nested(Store& store, LockHeld held, ChildId* id) {
  State& state = store.state();
  if (Fault fault = make_table_room(store, held, 1)) return fault;
  FreeEntry free;
  if (Fault fault = free_entry(store, held, &free)) return fault;
  const Word made = state.dicts_made + 1;
  Change change(store.regions, held);
  // born first: who follows the free list must not take the others for words of a free entry.
  change.set(free.number, *free.entry, Change::Field::born, HeaderMark::mark | made);
  change.set(free.number, *free.entry, Change::Field::hash, 0);
  change.set(free.number, *free.entry, Change::Field::links, 0);
  change.set(free.number, *free.entry, Change::Field::ref, HeaderMark::of(0, true, state.loose).word);
  take_entry(change, state, free);
  // Alive first: who counts those that ended looks the other way round, and never finds one too many.
  change.set(state.dict_count, state.dict_count + 1);
  change.set(state.dicts_made, made);
  change.set(state.loose, free.number);
  if (Fault fault = change.commit()) return fault;
  *id = {free.number, HeaderMark::mark | made};
  return {};
}

Fault check_link(Store& store, LockHeld held, ChildId dict, ChildId child) {
  DictHeader header;
  if (Fault fault = living(store, held, child, &header)) return fault;
  if (dict.number == 0) return {};  // nothing refers to the root
  if (Fault fault = living(store, held, dict, &header)) return fault;
  // What no key refers to lies in nothing.
  if (header.link_count() == 0 && child != dict) return {};
  bool found = false;
  if (Fault fault = reaches(store, held, child.number, dict.number, &found)) return fault;
  return found ? Fault::of(Code::would_cycle) : Fault::none();
}

Fault change_links(Store& store, LockHeld held, Change& change, const RecordView* now, const RecordView* old) {
  const bool gains = now && now->is_child();
  const bool loses = old && old->is_child();
  if (gains && loses && id_of(now->child()) == id_of(old->child())) return {};
  if (gains) {
    if (Fault fault = add_link(store, held, change, now->child())) return fault;
  }
  return loses ? drop_link(store, held, change, old->child()) : Fault::none();
}

Fault empty_nested(Store& store, LockHeld held, ChildId dict) {
  State& state = store.state();
  if (Fault fault = check_alive(store, dict)) return fault;
  Change change(store.regions, held);
  change.set(state.stream, ((state.stream >> 32) + 1) << 32);
  change.set(state.emptying, dict.number);
  if (Fault fault = change.commit()) return fault;
  const Fault fault = finish_emptying(store, held);
  if (fault) shared::store(state.repair, 1);
  return fault ? fault : settle_nested(store, held);
}

Fault settle_nested(Store& store, LockHeld held) {
  if (store.builds_children) return {};
  const Fault fault = settle_all(store, held);
  if (fault) shared::store(store.state().repair, 1);
  return fault;
}

Fault recover_nested(Store& store, LockHeld held) {
  if (store.state().emptying != 0) {
    if (Fault fault = finish_emptying(store, held)) return fault;
  }
  return store.builds_children ? Fault::none() : settle_all(store, held);
}

}  // namespace ultradict
