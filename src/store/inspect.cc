// SPDX-License-Identifier: Apache-2.0
#include "store/inspect.h"

#include <algorithm>
#include <unordered_map>

#include "store/dict_header.h"
#include "store/log.h"
#include "store/table.h"
#include "store/writer.h"
#include "structures/record.h"

namespace ultradict {

namespace {

// What the entries add up to; control must say the same.
struct Totals {
  Word keys = 0;  // of all dicts
  Word dicts = 0;
  std::unordered_map<Word, Word> links;  // to the nested dict of a header
  Word live = 0;
  Word content = 0;
  Word blobs = 0;
  Word blob_size = 0;
  Word by_segment[segments_max] = {};
};

class Check {
 public:
  Check(Store& store, LockHeld held, bool blobs_too, Report report)
      : store_(store),
        held_(held),
        blobs_too_(blobs_too),
        report_(report),
        control_(store.control()),
        state_(control_.state) {}

  void run() {
    expect("journal: idle", control_.journal.word, 0);
    expect("table number: even", state_.table_number % 2, 0);
    Word entries = 0;
    if (fails(store_.regions.entry_count(state_.table_number, &entries))) return;
    if (state_.entries_used == 0 || state_.entries_used > entries) {
      return broken("entries: used", state_.entries_used, entries);
    }
    if (fails(slot_arrays(store_, held_, &arrays_))) return;
    walk_chain(0);
    check_headers();
    check_links();
    walk_free_list();
    walk_log();
    check_slots();
    check_sums();
    check_segments();
    check_budget();
  }

 private:
  void check_budget() {
    const MemoryBudget& budget = store_.regions.files().budget();
    const Word bound = control_.identity.max_bytes;
    Word used = 0;
    if (bound != 0 && !budget.sum_up(&used) && used + budget.left() > bound)
      broken("files: larger than max_bytes", used + budget.left(), bound);
  }
  void broken(const char* what, Word seen, Word bound) { report_(Fault::damaged(what, seen, bound)); }
  void expect(const char* what, Word seen, Word expected) {
    if (seen != expected) broken(what, seen, expected);
  }
  bool fails(const Fault& fault) {
    if (fault) report_(fault);
    return static_cast<bool>(fault);
  }
  bool entry(Word number, Entry** entry) {
    if (number == 0 || number >= state_.entries_used) {
      broken("entry number", number, state_.entries_used);
      return false;
    }
    return !fails(store_.regions.entry(state_.table_number, number, entry));
  }

  void walk_chain(Word dict) {
    DictHeader header;
    if (fails(DictHeader::find(store_, held_, dict, &header))) return;
    Word count = 0;
    Word exotic = 0;
    Word previous = 0;
    Word born = 0;
    Word number = header.ends().previous();
    for (; number != 0 && totals_.keys + count < state_.entries_used; ++count) {
      Entry* found = nullptr;
      if (!entry(number, &found)) {
        totals_.keys += count;
        return;
      }
      expect("chain: previous", Links{found->links}.previous(), previous);
      if (found->born <= born) broken("chain: born grows", found->born, born);
      check_record(dict, number, *found, &exotic);
      born = found->born;
      previous = number;
      number = Links{found->links}.next();
    }
    expect("chain: it ends", number, 0);
    expect("chain: last", header.ends().next(), previous);
    expect("count", header.count(), count);
    expect("count of exotic keys", header.exotic_count(), exotic);
    totals_.keys += count;
  }

  void check_headers() {
    for (Word number = 1; number < state_.entries_used; ++number) {
      Entry* found = nullptr;
      if (!entry(number, &found)) return;
      if (!HeaderMark{found->ref}.is_header()) continue;
      ++totals_.dicts;
      if ((found->born & HeaderMark::mark) == 0) broken("nested dict: born", found->born, HeaderMark::mark);
      if (HeaderMark{found->ref}.is_listed()) broken("nested dict: loose", number, 0);
      walk_chain(number);
    }
  }

  void check_links() {
    for (Word number = 1; number < state_.entries_used; ++number) {
      Entry* found = nullptr;
      if (!entry(number, &found)) return;
      if (!HeaderMark{found->ref}.is_header()) continue;
      expect("nested dict: links", HeaderCounts{found->hash}.link_count(), totals_.links[number]);
      totals_.links.erase(number);
    }
    for (const auto& [number, links] : totals_.links) broken("nested dict: no header", number, links);
  }

  void check_record(Word dict, Word number, const Entry& entry, Word* exotic) {
    RecordView view;
    if (fails(record_in_place(store_, held_, Ref{entry.ref}, &view))) return;
    expect("record: entry", view.header.entry, number);
    expect("record: number of its dict", view.header.dict_id, dict);
    expect("entry: hash of its key", entry.hash, store_.hash(dict, view.key()));
    if (arrays_.current.find_entry(entry.hash, number) == arrays_.current.count())
      broken("slots: they lead to entry", number, 0);
    std::string copy(view.bytes, view.size());
    (void)fails(check_copy(copy.data(), view.header));
    const Ref ref{entry.ref};
    if (view.header.sequence > ref.position()) broken("record: sequence", view.header.sequence, ref.word);
    if (view.header.sequence < entry.born) broken("record: older than its key", view.header.sequence, entry.born);
    const Word end = end_of_records(control_, ref.segment());
    if (ref.position() + view.size() / unit_size > end) broken("record: behind the last one", ref.position(), end);
    if (ref.position() < state_.cleared_at) broken("record: of before a clear", ref.position(), state_.cleared_at);
    if (view.size() > std::max(page_size, state_.largest_record))
      broken("record: larger than the largest", view.size(), state_.largest_record);
    *exotic += view.is_exotic() ? 1 : 0;
    totals_.live += view.size();
    totals_.content += view.content_size();
    totals_.by_segment[Ref{entry.ref}.segment()] += view.size();
    if (view.is_blob()) check_blob(view);
    if (view.is_child()) check_child(view.child());
  }

  void check_child(const ChildValue& child) {
    ++totals_.links[child.number];
    Entry* header = nullptr;
    if (entry(child.number, &header)) expect("nested dict: born as its key says", header->born, child.born);
  }

  void check_blob(const RecordView& view) {
    ++totals_.blobs;
    totals_.blob_size += view.blob_size();
    os::File file;
    os::Size size = 0;
    const Fault opening = store_.regions.files().open(DictFiles::blob(view.header.sequence), &file);
    if (opening.code == Code::not_found) return broken("blob: its file is missing", view.header.sequence, 0);
    if (fails(opening)) return;
    if (fails(os::file_size(file, &size))) return;
    expect("blob: size of its file", size, view.blob_size());
    if (size == view.blob_size() && blobs_too_) check_bytes(file, view.blob());
  }

  void check_bytes(const os::File& file, const BlobValue& blob) {
    constexpr Word part_size = 1 << 20;
    StreamedChecksum checksum;
    std::string part;
    for (Word offset = 0; offset < blob.size; offset += part.size()) {
      part.resize(std::min(part_size, blob.size - offset));
      if (fails(os::read_at(file, offset, part.data(), part.size()))) return;
      checksum.add(part.data(), part.size());
    }
    expect("blob: checksum", checksum.value(), blob.checksum);
  }

  void walk_free_list() {
    Word free = 0;
    Word number = state_.free_entry;
    for (; number != 0 && free < state_.entries_used; ++free) {
      Entry* found = nullptr;
      if (!entry(number, &found)) return;
      expect("free entry: ref", found->ref, 0);
      expect("free entry: born", found->born, 0);
      number = Links{found->links}.next();
    }
    expect("free list and chains: all entries used", free + totals_.keys + totals_.dicts + 1, state_.entries_used);
  }

  // All records, also those that no entry names: an entry names the newest one of its key.
  void walk_log() {
    for (Word number = 0; number < segments_max; ++number) {
      const Word end = end_of_records(control_, number);
      RecordView view;
      for (Word at = control_.segments[number].first; at < end; at += view.size() / unit_size) {
        if (fails(record_in_place(store_, held_, Ref::at(at, number), &view))) break;
        check_succession(view);
      }
    }
  }

  void check_succession(const RecordView& view) {
    const Word number = view.header.entry;
    Entry* entry = nullptr;
    RecordView named;
    if (number == 0 || number >= state_.entries_used ||
        fails(store_.regions.entry(state_.table_number, number, &entry)))
      return;
    const bool is_of_its_key = entry->ref != 0 && !HeaderMark{entry->ref}.is_header() && entry->born != 0 &&
                               view.header.sequence >= entry->born;
    if (!is_of_its_key || record_in_place(store_, held_, Ref{entry->ref}, &named)) return;
    if (view.header.sequence > named.header.sequence)
      broken("entry: it names an older record", named.header.sequence, view.header.sequence);
  }

  void check_slots() {
    Word used = 0;
    Word leading = 0;
    for (Word number = 0; number < arrays_.current.count(); ++number) {
      const Slot slot = arrays_.current.at(number);
      if (slot.is_empty()) continue;
      ++used;
      if (!slot.is_intact()) broken("slot: check bits", slot.word, number);
      leading += slot.is_tombstone() ? 0 : 1;
    }
    expect("slots: used", state_.slots_used, used);
    expect("slots: one for each key", leading, totals_.keys);
  }

  void check_sums() {
    expect("count of nested keys", state_.nested_count, totals_.keys - state_.count);
    expect("count of nested dicts", state_.dict_count, totals_.dicts);
    expect("nested dicts: none is being freed", state_.loose | state_.doomed | state_.emptying, 0);
    expect("live size", state_.live_size, totals_.live);
    expect("content size", state_.content_size, totals_.content);
    expect("count of blobs", state_.blob_count, totals_.blobs);
    expect("size of blobs", state_.blob_size, totals_.blob_size);
    expect("batch: none pending", state_.pending | state_.batch_begin, 0);
  }

  void check_segments() {
    Word closed = 0;
    const Word tail = Ref{state_.tail}.segment();
    for (Word number = 0; number < segments_max; ++number) {
      const SegmentDescriptor& segment = control_.segments[number];
      closed += segment.filled;
      if (segment.filled > segment.size) broken("segment: filled", segment.filled, segment.size);
      if (segment.size > segment.capacity) broken("segment: size", segment.size, segment.capacity);
      if (segment.file != 0) expect("segment: live bytes", segment.live, totals_.by_segment[number]);
    }
    expect("closed size", state_.closed_size, closed);
    if (first_unused_file() > state_.next_file)
      broken("files: the next number is free", first_unused_file(), state_.next_file);
    if (tail_offset(control_) > control_.segments[tail].size) {
      broken("tail: offset", tail_offset(control_), control_.segments[tail].size);
    }
  }

  // Behind all files there are.
  Word first_unused_file() const {
    Word last = std::max(SlotsName{state_.slots}.file(), SlotsName{state_.next_slots}.file());
    for (const SegmentDescriptor& segment : control_.segments) last = std::max(last, segment.file);
    return last + 1;
  }

  Store& store_;
  LockHeld held_;
  bool blobs_too_;
  Report report_;
  const Control& control_;
  const State& state_;
  SlotArrays arrays_;
  Totals totals_;
};

Word sizes_of_segments(const Control& control, Word* count) {
  Word size = 0;
  for (const SegmentDescriptor& segment : control.segments) {
    size += shared::load_relaxed(segment.size);
    *count += shared::load_relaxed(segment.file) != 0 ? 1 : 0;
  }
  return size;
}

// dead_size() without the lock: its figures are a moment apart. The tail may leave its segment between two looks, which
// then counts twice, and the segment begin anew behind where the tail was seen.
Word dead_size_seen(const Control& control) {
  const Ref tail{shared::load(control.state.tail)};
  const Word first = shared::load(control.segments[tail.segment()].first);
  const Word offset = first < tail.position() ? (tail.position() - first) * unit_size : 0;
  const Word written = shared::load_relaxed(control.state.closed_size) + offset;
  const Word live = shared::load_relaxed(control.state.live_size);
  return written > live ? written - live : 0;
}

}  // namespace

Stats stats_of(const Store& store) {
  const Control& control = store.control();
  const State& state = control.state;
  const auto read = [](const Word& word) { return shared::load_relaxed(word); };
  Stats stats;
  stats.count = read(state.count);
  stats.nested_count = read(state.nested_count);
  stats.dict_count = read(state.dict_count);
  stats.content_size = read(state.content_size);
  stats.live_size = read(state.live_size);
  stats.log_size = sizes_of_segments(control, &stats.segments);
  stats.dead_size = std::min(dead_size_seen(control), stats.log_size);
  const SlotsName slots{read(state.slots)};
  stats.slots = slots.count();
  stats.table_size = slots.count() * sizeof(Word) + read(state.entries_size) * sizeof(Entry) +
                     (read(state.next_slots) != 0 ? read(state.next_slots_size) : 0);
  stats.blob_size = read(state.blob_size);
  stats.blobs = read(state.blob_count);
  stats.table_number = read(state.table_number);
  stats.tail_position = Ref{read(state.tail)}.position();
  const Word stream = read(state.stream);
  stats.full_dump_counter = stream >> 32;
  stats.stream_position = stream & 0xffffffffU;
  stats.free_bytes = store.regions.files().budget().left();
  stats.recoveries = read(state.recoveries);
  stats.moved_records = read(state.moved_records);
  return stats;
}

void check_all(Store& store, LockHeld held, bool blobs_too, Report report) {
  Check(store, held, blobs_too, report).run();
}

Fault first_damage(Store& store, LockHeld held) {
  Fault first;
  check_all(store, held, false, [&](const Fault& broken) {
    if (!first) first = broken;
  });
  return first;
}

}  // namespace ultradict
