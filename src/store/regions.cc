// SPDX-License-Identifier: Apache-2.0
#include "store/regions.h"

#include <algorithm>
#include <new>
#include <utility>

namespace ultradict {

void Regions::open(DictFiles files, char* control, const Identity& identity, std::shared_ptr<os::LivenessToken> token) {
  token_ = std::move(token);
  files_ = std::move(files);
  control_ = reinterpret_cast<Control*>(control);
  control_size_ = identity.size;
  control_entries_ = reinterpret_cast<Entry*>(control + identity.entries_offset);
  control_slots_ = control + identity.slots_offset;
  control_segments_ = control + identity.segments_offset;
  control_segment_size_ = identity.segment_size;
}

void Regions::close() {
  if (!control_) return;
  for (MappedFile& place : segments_) destroy(place.exchange(nullptr));
  for (MappedFile& place : extents_) destroy(place.exchange(nullptr));
  destroy(slots_.exchange(nullptr));
  destroy(next_slots_.exchange(nullptr));
  destroy_all(std::exchange(retired_, nullptr));
  destroy_all(std::exchange(retired_tables_, nullptr));
  os::unmap(reinterpret_cast<char*>(control_), control_size_);
  control_ = nullptr;
}

Fault Regions::map_segment(Word number, Word file, Word end, char** base) {
  const SegmentDescriptor& segment = control_->segments[number];
  const Wanted wanted{file, end, shared::load(segment.size), shared::load_relaxed(segment.capacity), false};
  const Fault fault = map(segments_[number], wanted, DictFiles::segment(file), base);
  if (!fault) segment_hints_[number].store(*base, std::memory_order_relaxed);
  return fault;
}

Fault Regions::map_entry(Word table, Word number, Entry** entry) {
  const Word extent = extent_of(number);
  if (extent >= extents_max) return Fault::damaged("entry number", number, extent_end(extents_max - 1));
  const Word index = number - extent_begin(extent);
  const Word capacity = (extent_end(extent) - extent_begin(extent)) * sizeof(Entry);
  char* base = nullptr;
  const Word entries = std::clamp(shared::load(control_->state.entries_size), extent_begin(extent), extent_end(extent));
  const Word recorded = (entries - extent_begin(extent)) * sizeof(Entry);
  const Wanted wanted{table, (index + 1) * sizeof(Entry), recorded, capacity, true};
  if (Fault fault = map(extents_[extent], wanted, DictFiles::entries(table, extent), &base)) return fault;
  *entry = reinterpret_cast<Entry*>(base) + index;
  return {};
}

Fault Regions::map_slots(MappedFile& place, SlotsName name, Word** words) {
  const Word file = name.file();
  const bool is_in_control = file == control_slots_a || file == control_slots_b;
  if (is_in_control || name.bits() > slots_bits_max) {
    const Word expected = is_in_control ? static_cast<Word>(std::countr_zero(control_slots)) : slots_bits_max;
    return Fault::damaged("slots: bits", name.bits(), expected);
  }
  char* base = nullptr;
  const Word whole = name.count() * sizeof(Word);
  const Wanted wanted{file, whole, whole, whole, false};
  if (Fault fault = map(place, wanted, DictFiles::slots(file), &base)) return fault;
  if (&place == &slots_) slots_hint_.store(base, std::memory_order_relaxed);
  *words = reinterpret_cast<Word*>(base);
  return {};
}

Fault Regions::map(MappedFile& place, const Wanted& wanted, const char* name, char** base) {
  const std::lock_guard guard(mutex_);
  Mapping* before = place.load(std::memory_order_acquire);
  os::File file;
  if (Fault fault = files_.open(name, &file)) {
    return fault.code == Code::not_found ? Fault::damaged("a file is missing", wanted.file) : fault;
  }
  Word size = 0;
  if (Fault fault = os::file_size(file, &size)) return fault;
  if (wanted.end > size) return Fault::damaged("a file is shorter than what is recorded of it", size, wanted.end);
  // A growth that fails half-way has made the file longer for a moment than it stays.
  const Word known = std::min(size, std::max(wanted.end, wanted.recorded));
  Word identity = 0;
  if (Fault fault = os::file_identity(file, &identity)) return fault;
  if (before && before->file == wanted.file && before->identity == identity && wanted.end <= before->mapped) {
    before->known.store(std::min(known, before->mapped), std::memory_order_relaxed);
    *base = before->base;
    return {};
  }
  if (wanted.end > wanted.capacity) return Fault::damaged("a file's capacity", wanted.capacity, wanted.end);
  char* mapped = nullptr;
  if (Fault fault = os::map(file, wanted.capacity, &mapped)) return fault;
  auto* made =
      new (std::nothrow) Mapping{wanted.file, identity, mapped, wanted.capacity, {std::min(known, wanted.capacity)}};
  if (!made) {
    os::unmap(mapped, wanted.capacity);
    return Fault::of(Code::memory_full, "no memory for a mapping");
  }
  place.store(made);
  if (before) retire(before, wanted.is_table);
  *base = mapped;
  return {};
}

void Regions::retire(Mapping* mapping, bool is_table) {
  const bool kept = is_table && keeps_old_tables_;
  Mapping*& list = kept ? retired_tables_ : retired_;
  mapping->next = std::exchange(list, mapping);
  mapping->retired_at = os::ReaderSlots::next_moment();
  retired_are_fenced_ = false;
  if (!kept) newest_retired_.store(mapping->retired_at, std::memory_order_relaxed);
}

void Regions::retire_if_gone(MappedFile& place, Word file, bool is_table) {
  Mapping* mapping = place.load(std::memory_order_relaxed);
  if (mapping && mapping->file != file) retire(place.exchange(nullptr), is_table);
}

// What control no longer names. A reader that comes upon it meanwhile finds out the same way that it must look again.
void Regions::retire_removed() {
  const State& state = control_->state;
  seen_removals_.store(shared::load(state.removals), std::memory_order_relaxed);
  for (Word number = control_segments; number < segments_max; ++number) {
    retire_if_gone(segments_[number], shared::load(control_->segments[number].file), false);
  }
  for (MappedFile& place : extents_) retire_if_gone(place, shared::load(state.table_number), true);
  retire_if_gone(slots_, SlotsName{shared::load(state.slots)}.file(), false);
  retire_if_gone(next_slots_, SlotsName{shared::load(state.next_slots)}.file(), false);
}

void Regions::release_retired_slowly() {
  const std::lock_guard guard(mutex_);
  retire_removed();
  // Who begins to read or write after this look finds the new mappings only: they were put in place before.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (readers_without_slot_.load() != 0) return;
  if (!retired_are_fenced_ && !os::ReaderSlots::fence()) {
    newest_retired_.store(0, std::memory_order_relaxed);  // not asked again before something else is retired
    return;
  }
  retired_are_fenced_ = true;
  // A writer is no reader. Asked after the fence: one that took the lock before it is seen, one that did so later
  // finds the new mappings.
  const Word owner = LockWord{shared::load(control_->lock)}.owner();
  if (owner != 0 && owner == token_->word()) return;
  const os::ReaderSlots::Moment oldest_read = os::ReaderSlots::oldest_read(this);
  os::ReaderSlots::Moment newest = 0;  // of those that stay
  for (Mapping** place = &retired_; Mapping* mapping = *place;) {
    Mapping* const next = mapping->next;
    if (mapping->retired_at < oldest_read) {
      *place = next;
      destroy(mapping);
    } else {
      newest = std::max(newest, mapping->retired_at);
      place = &mapping->next;
    }
  }
  newest_retired_.store(newest, std::memory_order_relaxed);
}

void Regions::release_old_tables() {
  {
    const std::lock_guard guard(mutex_);
    while (Mapping* mapping = retired_tables_) {
      retired_tables_ = mapping->next;
      mapping->next = std::exchange(retired_, mapping);
    }
    if (retired_) newest_retired_.store(os::ReaderSlots::never, std::memory_order_relaxed);
  }
  release_retired();
}

void Regions::destroy_all(Mapping* list) {
  while (list) destroy(std::exchange(list, list->next));
}

void Regions::destroy(Mapping* mapping) {
  if (!mapping) return;
  os::unmap(mapping->base, mapping->mapped);
  delete mapping;
}

}  // namespace ultradict
