// SPDX-License-Identifier: Apache-2.0
// The walk goes in passes: each covers what was written from where the last one saw all applied to where the tail is.
// One that met a segment or a free entry that was used again under it, or from which a segment may have been hidden, is
// followed by another: whatever that hid has been moved, overwritten, deleted or inserted after the pass began, so the
// next one finds it. Naming an entry that did not change does no harm.
#include "store/changes.h"

#include <algorithm>

#include "store/nested.h"
#include "store/retry.h"
#include "store/sighting.h"
#include "store/witness.h"

namespace ultradict {

namespace {

// Where the changes are at this moment.
struct Now {
  Word table_number = 0;
  Word stream = 0;
  Ref tail;
  Word closed = 0;     // bytes in closed segments: less with each that is freed
  Word applied = 0;    // position before which every record has been applied: a batch is written first
  bool quiet = false;  // no change was under way: all that is counted here can be seen
};

Now look(const Store& store) {
  const State& state = store.state();
  const Word& journal = store.control().journal.word;
  Now now;
  const Word before = shared::load(journal);
  now.table_number = shared::load(state.table_number);
  now.stream = shared::load(state.stream);
  now.tail = Ref{shared::load(state.tail)};
  const Word batch = shared::load(state.batch_begin);
  now.applied = batch != 0 ? std::min(now.tail.position(), batch) : now.tail.position();
  now.closed = shared::load(state.closed_size);
  const bool stays = before == 0 && shared::load(state.stream) == now.stream &&
                     shared::load(state.tail) == now.tail.word && shared::load(journal) == 0;
  // Emptying a nested dict is counted once, at its begin: who saw that count sees that it is under way.
  now.quiet = stays && shared::load(state.emptying) == 0;
  return now;
}

// Headers of nested dicts are made, given up and freed without a record that says so.
struct HeaderLists {
  Word loose;
  Word doomed;
  Word made;
  Word there;

  static HeaderLists of(const State& state) {
    return {shared::load(state.loose), shared::load(state.doomed), shared::load(state.dicts_made),
            shared::load(state.dict_count)};
  }
  friend bool operator==(const HeaderLists&, const HeaderLists&) = default;
};

// Both are values of State::stream, which may go round; `beginning` says how far back one may look.
bool is_later(Word stream, Word than) { return static_cast<std::int64_t>(stream - than) > 0; }
constexpr Word looks_back_max = Word{1} << 62;

// Records of one segment, from one position to another.
struct Stretch {
  Word segment;
  SegmentWitness witness;
  Word begin;
  Word end;
};

class Follower {
 public:
  Follower(Store& store, ChildId dict, const Progress& since, std::vector<Sighting>* found)
      : store_(store),
        dict_(dict.number),
        state_(store.state()),
        since_(since),
        begin_(since.position),
        reached_(since),
        found_(found) {}

  // `*complete`: no other pass is needed. What was deleted is looked for first: an entry that was used again by then
  // was written before the end of the log that is walked next.
  Fault pass(bool* complete) {
    *complete = true;
    const Now before = look(store_);
    if (!before.quiet) {
      if (Fault fault = add_under_way(complete)) return fault;
    }
    const HeaderLists lists = HeaderLists::of(state_);
    if (Fault fault = walk_free_list(complete)) return fault;
    if (Fault fault = walk_headers(lists.loose, complete)) return fault;
    if (Fault fault = walk_headers(lists.doomed, complete)) return fault;
    const Now now = look(store_);
    if (Fault fault = walk_log(before, now, complete)) return fault;
    if (lists != HeaderLists::of(state_)) *complete = false;
    if (before.quiet && now.quiet) reached_ = Progress{since_.table_number, before.stream, now.applied, 0};
    reached_.born_end = now.applied;
    return {};
  }

  const Progress& reached() const { return reached_; }

 private:
  Fault walk_log(const Now& before, const Now& now, bool* complete) {
    end_ = now.tail.position();
    const std::vector<Stretch> stretches = stretches_of(now);
    const Now again = look(store_);
    Word missing = end_ - begin_;
    for (const Stretch& stretch : stretches) missing -= stretch.end - stretch.begin;
    // A segment was freed. If that was in this pass, the free list was walked before the last of its keys was deleted.
    if (missing != 0 && (again.closed != before.closed || again.tail.word != before.tail.word)) *complete = false;
    for (const Stretch& stretch : stretches) {
      const Fault fault = walk(stretch);
      if (fault && fault.code != Code::changed) return fault;
      if (fault) *complete = false;
    }
    if (now.quiet) begin_ = now.applied;  // else the last of these records may show only in the next pass
    return {};
  }

  std::vector<Stretch> stretches_of(const Now& now) const {
    std::vector<Stretch> stretches;
    add_stretch(now.tail.segment(), true, &stretches);
    if (!stretches.empty() && stretches[0].witness.first() <= begin_) return stretches;
    for (Word number = 0; number < segments_max; ++number) {
      if (number != now.tail.segment()) add_stretch(number, false, &stretches);
    }
    return stretches;
  }

  void add_stretch(Word number, bool is_tail, std::vector<Stretch>* stretches) const {
    const SegmentWitness witness(store_.control(), number);
    const Word filled = shared::load(store_.control().segments[number].filled);
    if (witness.file() == 0 || (filled == 0 && !is_tail)) return;
    const Word last = filled != 0 ? witness.first() + filled / unit_size : end_;
    const Word begin = std::max(begin_, witness.first());
    const Word end = std::min(end_, last);
    if (begin < end) stretches->push_back(Stretch{number, witness, begin, end});
  }

  // changed: the segment was used again.
  Fault walk(const Stretch& stretch) {
    for (Word at = stretch.begin; at < stretch.end;) {
      const Ref ref = Ref::at(at, stretch.segment);
      RecordHeader header;
      const char* source = nullptr;
      if (Fault fault = copy_header(store_, ref, stretch.witness, &source, &header)) return fault;
      if (!stretch.witness.holds()) return Fault::of(Code::changed);
      if (header.sequence >= since_.position) {
        if (Fault fault = is_given_up(header) ? Fault::none() : add_record(header, ref)) return fault;
      }
      at += record_size(header) / unit_size;
    }
    return {};
  }

  // Of a batch that never happened.
  static bool is_given_up(const RecordHeader& header) { return header.entry == 0; }

  Fault add_record(const RecordHeader& header, Ref ref) {
    if (Fault fault = add_namer(header, ref)) return fault;
    if ((header.kind_and_flags & 0xff) != Word(RecordKind::child)) return {};
    const Fault fault = add_child(ref);
    if (fault.code != Code::damaged) return fault;
    // Or it was given up just now: then its checksum is wrong.
    RecordHeader now;
    const char* source = nullptr;
    const SegmentWitness witness(store_.control(), ref.segment());
    const Fault again = copy_header(store_, ref, witness, &source, &now);
    if (again.code == Code::changed || !witness.holds()) return Fault::of(Code::changed);
    return !again && is_given_up(now) ? Fault::none() : fault;
  }

  // The entry that a record was written for, unless a later record of this pass says the same.
  Fault add_namer(const RecordHeader& header, Ref ref) {
    Entry* entry = nullptr;
    if (Fault fault = load(header.entry, &entry)) return fault;
    const Ref named{shared::load(entry->ref)};
    const bool comes_again = named.position() > ref.position() && named.position() < end_;
    if (!comes_again) add(header.entry, *entry, &header);
    return {};
  }

  // An entry that became the header of a nested dict is named by the records that refer to that.
  Fault add_child(Ref ref) {
    RecordView view;
    Entry* entry = nullptr;
    if (Fault fault = copy_record(store_, ref, &copy_, &view)) return fault;
    const Word number = view.child().number;
    if (Fault fault = load(number, &entry)) return fault;
    add(number, *entry, nullptr);
    return {};
  }

  // Who walks beside writers may be led back again and again. Under the lock it is damage.
  static Fault endless() { return Fault::of(Code::changed); }

  // Those that nothing refers to, yet or any more, are in lists.
  Fault walk_headers(Word number, bool* complete) {
    Word left = 0;
    if (Fault fault = store_.regions.entry_count(since_.table_number, &left)) return fault;
    for (; number != 0; --left) {
      if (left == 0) return endless();
      Entry* entry = nullptr;
      if (Fault fault = load(number, &entry)) return fault;
      const HeaderMark mark{shared::load(entry->ref)};
      add(number, *entry, nullptr);
      if (!mark.is_header()) *complete = false;
      number = mark.is_header() ? mark.next() : 0;
    }
    return {};
  }

  Fault walk_free_list(bool* complete) {
    Word number = shared::load(state_.free_entry);
    Word left = 0;
    if (Fault fault = store_.regions.entry_count(since_.table_number, &left)) return fault;
    for (; number != 0; --left) {
      if (left == 0) return endless();
      Entry* entry = nullptr;
      if (Fault fault = load(number, &entry)) return fault;
      const Word freed = shared::load(entry->hash);
      const Links links{shared::load(entry->links)};
      const bool is_free = freed != being_freed && shared::load(entry->born) == 0 && shared::load(entry->ref) == 0 &&
                           shared::load(entry->hash) == freed;
      if (is_free && !is_later(freed, since_.stream)) return {};
      add(number, *entry, nullptr);
      if (!is_free) {
        *complete = false;
        return {};
      }
      number = links.next();
    }
    return {};
  }

  // A change under way may show already, or be half-done for ever if its writer died. Its journal says what it touches.
  // If it is over by now, the walks will see it.
  Fault add_under_way(bool* complete) {
    const Journal& journal = store_.control().journal;
    const Word count = std::min(shared::load(journal.word) & 0xffffffffU, stores_max);
    for (Word i = 0; i < count; ++i) {
      const Place place{shared::load_relaxed(journal.stores[i].place)};
      const Word number = place.offset() / 4;
      if (place.kind() != Place::Kind::entry || number == 0 || number >= shared::load(state_.entries_size)) continue;
      if (Fault fault = add_as_it_is(number, complete)) return fault;
    }
    return {};
  }

  // By the record that it names now.
  Fault add_as_it_is(Word number, bool* complete) {
    Entry* entry = nullptr;
    if (Fault fault = load(number, &entry)) return fault;
    const Ref ref{shared::load(entry->ref)};
    if (!ref || HeaderMark{ref.word}.is_header()) {
      add(number, *entry, nullptr);
      return {};
    }
    const SegmentWitness witness(store_.control(), ref.segment());
    RecordHeader header;
    const char* source = nullptr;
    const Fault fault = copy_header(store_, ref, witness, &source, &header);
    if (fault && fault.code != Code::changed) return fault;
    if (fault || !witness.holds()) {
      *complete = false;
    } else {
      add(number, *entry, &header);
    }
    return {};
  }

  Fault load(Word number, Entry** entry) const {
    const Word size = shared::load(state_.entries_size);
    if (number == 0 || number >= size) return Fault::damaged("entry number", number, size);
    return store_.regions.entry(since_.table_number, number, entry);
  }

  // With a key if the record, null if there is none, is of this dict and of the present life of its key.
  void add(Word number, const Entry& entry, const RecordHeader* header) {
    const Word born = shared::load(entry.born);
    const Word ref = shared::load(entry.ref);
    const bool has_key = header && ref != 0 && !HeaderMark{ref}.is_header();
    const bool is_alive = has_key && header->dict_id == dict_ && header->sequence >= born;
    found_->push_back(sighting_of(state_, since_.table_number, entry, number, ref, is_alive ? born : 0));
  }

  Store& store_;
  const Word dict_;  // number of its header
  const State& state_;
  const Progress since_;
  Word begin_;  // of the log in this pass
  Word end_ = 0;
  Progress reached_;
  Buffer copy_;
  std::vector<Sighting>* found_;
};

// Of each entry its latest life.
void keep_one_each(std::vector<Sighting>* found) {
  std::sort(found->begin(), found->end(), [](const Sighting& left, const Sighting& right) {
    return left.entry != right.entry ? left.entry < right.entry : left.born > right.born;
  });
  const auto same_entry = [](const Sighting& left, const Sighting& right) { return left.entry == right.entry; };
  found->erase(std::unique(found->begin(), found->end(), same_entry), found->end());
}

// Where a copy that is about to be made begins to follow. While a change is under way, or stays half-done, nobody can
// say which of the others can be seen: then all since the last clear count as changes to come.
Progress beginning(const Store& store) {
  Now now = look(store);
  for (int tries = 0; tries < retries_max && !now.quiet; ++tries) now = look(store);
  if (now.quiet) return Progress{now.table_number, now.stream, now.applied, now.applied};
  const Word begin = shared::load(store.state().cleared_at);
  return Progress{now.table_number, now.stream - looks_back_max, begin, now.applied};
}

Fault look_alive(Store& store, ChildId dict) {
  const ReadGuard guard(store.regions);
  return check_alive(store, dict);
}

Fault follow(Store& store, Follower* follower) {
  const Fault fault = look_until_consistent(store, [&] {
    bool complete = false;
    if (Fault failed = follower->pass(&complete)) return failed;
    return complete ? Fault::none() : Fault::of(Code::changed);
  });
  return fault.code == Code::changed ? Fault::damaged("what changed is not consistent under the lock") : fault;
}

}  // namespace

bool changed_since(const Store& store, const Progress& progress) {
  const State& state = store.state();
  return shared::load(store.control().journal.word) != 0 || shared::load(state.stream) != progress.stream ||
         shared::load(state.table_number) != progress.table_number;
}

Fault changes(Store& store, ChildId dict, Progress* progress, std::vector<Sighting>* changed) {
  changed->clear();
  if (Fault fault = look_alive(store, dict)) return fault;
  if (!changed_since(store, *progress)) return {};
  // While the number is odd a clear is under way, or stays half-done: what is there belongs to neither table. Whether
  // something was freed before or after what was seen so long ago cannot be told.
  const auto is_old = [&] {
    const Word table_number = shared::load(store.state().table_number);
    const Word passed = shared::load(store.state().stream) - progress->stream;
    return table_number != progress->table_number || table_number % 2 != 0 ||
           passed > looks_back_max + looks_back_max / 2;
  };
  Follower follower(store, dict, *progress, changed);
  const Fault fault = is_old() ? Fault::none() : follow(store, &follower);
  if (is_old()) {
    changed->clear();
    *progress = beginning(store);
    return Fault::of(Code::changed);
  }
  if (fault) return fault;
  if (Fault gone = look_alive(store, dict)) return gone;  // its number may be that of another dict by now
  *progress = follower.reached();
  keep_one_each(changed);
  return {};
}

}  // namespace ultradict
