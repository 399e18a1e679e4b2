// SPDX-License-Identifier: Apache-2.0
#include "store/insertions.h"

#include "store/nested.h"
#include "store/sums.h"

namespace ultradict {

Fault Insertions::add(const RecordView& now, Word hash, bool* taken) {
  *taken = false;
  if (count_ == count_max || (count_ != 0 && !goes_with_others(now))) return {};
  if (count_ == 0) {
    if (Fault fault = DictHeader::find(store_, held_, now.header.dict_id, &header_)) return fault;
    if (Fault fault = slot_arrays(store_, held_, &arrays_)) return fault;
    segment_ = Ref{now.header.ref}.segment();
    stream_ = store_.state().stream;
  }
  NewKey& key = keys_[count_];
  key.hash = hash;
  key.ref = now.header.ref;
  key.born = now.header.sequence;
  if (Fault fault = find_places(arrays_, hash, &key.places)) return fault;
  if (is_taken(key.places)) return {};
  if (Fault fault = free_.next(store_, held_, &key.free)) return fault;
  if (key.free.number != now.header.entry) return Fault::damaged("record: entry", now.header.entry, key.free.number);
  if (now.is_child()) link_ = now;
  sum_up(now);
  ++count_;
  *taken = true;
  return {};
}

bool Insertions::goes_with_others(const RecordView& now) const {
  if (now.is_child() || link_.is_child()) return false;
  return now.header.dict_id == header_.number() && Ref{now.header.ref}.segment() == segment_;
}

// By one of the others: the arrays do not show it yet.
bool Insertions::is_taken(const SlotPlaces& places) const {
  for (Word i = 0; i < count_; ++i) {
    if (keys_[i].places.current == places.current) return true;
    if (arrays_.grows && keys_[i].places.next == places.next) return true;
  }
  return false;
}

void Insertions::sum_up(const RecordView& now) {
  stream_ = streamed(store_.control(), stream_, now.size() + now.blob_size());
  exotic_count_ += now.is_exotic() ? 1 : 0;
  size_ += now.size();
  content_size_ += now.content_size();
  blob_count_ += now.is_blob() ? 1 : 0;
  blob_size_ += now.blob_size();
}

Fault Insertions::finish(Change& change) const {
  if (Fault fault = chain(change)) return fault;
  free_.take(change, store_.state());
  set_sums(change);
  if (link_.is_child()) {
    if (Fault fault = change_links(store_, held_, change, &link_, nullptr)) return fault;
  }
  show(change);
  return {};
}

Fault Insertions::chain(Change& change) const {
  const Links ends = header_.ends();
  for (Word i = 0; i < count_; ++i) {
    const NewKey& key = keys_[i];
    const Word previous = i == 0 ? ends.next() : keys_[i - 1].free.number;
    const Word next = i + 1 == count_ ? 0 : keys_[i + 1].free.number;
    begin_life(change, key.free, key.born, key.hash, Links::of(previous, next));
  }
  const Word first = keys_[0].free.number;
  if (ends.next() != 0) {
    Entry* last = nullptr;
    if (Fault fault = store_.regions.entry(store_.state().table_number, ends.next(), &last)) return fault;
    change.set(ends.next(), *last, Change::Field::links, Links::of(Links{last->links}.previous(), first).word);
  }
  header_.set_ends(change, Links::of(ends.previous() == 0 ? first : ends.previous(), keys_[count_ - 1].free.number));
  return {};
}

void Insertions::set_sums(Change& change) const {
  Control& control = store_.control();
  State& state = control.state;
  header_.count_keys(change, count_, exotic_count_);
  add_to(change, control.segments[segment_].live, size_);
  add_to(change, state.live_size, size_);
  add_to(change, state.content_size, content_size_);
  add_to(change, state.blob_count, blob_count_);
  add_to(change, state.blob_size, blob_size_);
  change.set(state.stream, stream_);
}

// In their order: who walks behind them passes over a key that it does not see, for ever.
void Insertions::show(Change& change) const {
  State& state = store_.state();
  Word used = 0;
  Word next_used = 0;
  for (Word i = 0; i < count_; ++i) {
    const SlotPlaces& places = keys_[i].places;
    used += arrays_.current.at(places.current).is_empty() ? 1 : 0;
    next_used += arrays_.grows && arrays_.next.at(places.next).is_empty() ? 1 : 0;
  }
  add_to(change, state.slots_used, used);
  add_to(change, state.next_slots_used, next_used);
  for (Word i = 0; i < count_; ++i) {
    const NewKey& key = keys_[i];
    set_slots(change, arrays_, key.places, Slot::used(key.free.number, key.hash));
    change.set(key.free.number, *key.free.entry, Change::Field::ref, key.ref);
  }
}

}  // namespace ultradict
