// SPDX-License-Identifier: Apache-2.0
// Regions: where this process finds the shared bytes of one dict. Everything outside control is mapped when first met.
//
// As far as it is recorded to be there a file never shrinks, and a number is never used for two files. So a mapping is
// right exactly as long as the file number it was made for is the one that control names; mappings are replaced, never
// moved.
//
// Thread safety: any thread may ask; mappings that were replaced are unmapped when every read (ReadGuard) of the
// process has ended that began before. Extents are pointed to by Sightings: for who keeps those, they stay until
// release_old_tables().
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/fault.h"
#include "base/lock_held.h"
#include "base/mutex.h"
#include "base/poison.h"
#include "base/shared_atomic.h"
#include "layout.h"
#include "os/liveness_token.h"
#include "os/reader_slots.h"
#include "store/dict_files.h"

namespace ultradict {

class Regions {
 public:
  Regions() = default;
  ~Regions() { close(); }
  Regions(const Regions&) = delete;
  Regions& operator=(const Regions&) = delete;

  // Takes over the mapping of the control file, which has been checked.
  // `identity` says where its parts are: a copy, for the one in the file may change after the check.
  void open(DictFiles files, char* control, const Identity& identity, std::shared_ptr<os::LivenessToken> token);
  void close();

  // The same bytes through another open file, so that locks of the one that was mapped are dropped. Threads that read
  // meanwhile do not notice.
  Fault map_control_anew(const os::File& file) {
    return os::map_over(file, control_size_, reinterpret_cast<char*>(control_));
  }

  Control& control() const { return *control_; }
  State& state() const { return control_->state; }
  const DictFiles& files() const { return files_; }
  Poison& poison() const { return poison_; }
  // Whether this process owns the dict's lock.
  [[gnu::always_inline]] bool own_lock() const {
    const Word mine = token_->word();
    return mine != 0 && LockWord{shared::load_relaxed(control_->lock)}.owner() == mine;
  }

  // `*base` is the segment's first byte; the bytes up to `end` are there, or it is damaged: unless control names
  // another file by now.
  [[gnu::always_inline]] Fault segment(Word number, Word file, Word end, char** base) {
    if (number < control_segments) return segment_in_control(number, end, base);
    *base = known_base(segments_[number], file, end);
    return *base ? Fault::none() : map_segment(number, file, end, base);
  }
  // The same as far as they are mapped already; nullptr: ask the others. `*size` is what is there of the segment.
  [[gnu::always_inline]] const char* known_segment(Word number, Word file, Word* size) const {
    if (number < control_segments) {
      *size = control_segment_size_;
      return control_segments_ + number * control_segment_size_;
    }
    const Mapping* found = segments_[number].load(std::memory_order_acquire);
    if (!found || found->file != file) return nullptr;
    *size = found->known.load(std::memory_order_relaxed);
    return found->base;
  }
  [[gnu::always_inline]] Entry* known_entry(Word table, Word number) const {
    if (number < control_entries) return control_entries_ + number;
    const Word extent = extent_of(number);
    if (extent >= extents_max) return nullptr;
    const Word offset = (number - extent_begin(extent)) * sizeof(Entry);
    char* const base = known_base(extents_[extent], table, offset + sizeof(Entry));
    return base ? reinterpret_cast<Entry*>(base + offset) : nullptr;
  }
  [[gnu::always_inline]] Word* known_slots(SlotsName name) const { return known_slots(slots_, name); }
  // Hints that a record, or the slots of a hash, will be read soon. Without the lock and outside of a read: the mapping
  // may be gone, so none is asked; to fetch from where it was does no harm.
  void prefetch(Ref ref) const {
    const char* base = segment_hints_[ref.segment()].load(std::memory_order_relaxed);
    prefetch_at(base, (ref.position() - shared::load_relaxed(control_->segments[ref.segment()].first)) * unit_size);
  }
  void prefetch_slots(Word hash) const {
    const Word mask = SlotsName{shared::load_relaxed(control_->state.slots)}.count() - 1;
    prefetch_at(slots_hint_.load(std::memory_order_relaxed), (hash & mask) * sizeof(Word));
  }
  [[gnu::always_inline]] Fault entry(Word table, Word number, Entry** entry) {
    if (number < control_entries) {
      *entry = control_entries_ + number;
      return {};
    }
    *entry = known_entry(table, number);
    return *entry ? Fault::none() : map_entry(table, number, entry);
  }
  // How many entries there are, as far as the files really have them: the bound of walks along lists that may be
  // damaged.
  Fault entry_count(Word table, Word* count) {
    *count = shared::load(control_->state.entries_size);
    Entry* last = nullptr;
    return *count == 0 ? Fault::damaged("entries: size", 0, control_entries) : entry(table, *count - 1, &last);
  }
  // The current slot array.
  Fault slots(SlotsName name, Word** words) { return slots_at(slots_, name, words); }
  // The one being built.
  Fault next_slots(SlotsName name, Word** words) { return slots_at(next_slots_, name, words); }

  void keep_old_tables() { keeps_old_tables_ = true; }
  void release_old_tables();  // and whatever else can go
  // Unmaps what was replaced or removed, if no thread of this process may still look at it or holds the lock: mapped
  // memory is not given back by unlinking its file.
  void release_retired() { release_retired_after(0); }
  // At the end of a read. One that began after the newest of them was retired held none back.
  void release_retired_after(os::ReaderSlots::Moment read_since) {
    const bool removed =
        shared::load_relaxed(control_->state.removals) != seen_removals_.load(std::memory_order_relaxed);
    const os::ReaderSlots::Moment newest = newest_retired_.load(std::memory_order_relaxed);
    if (removed || (newest != 0 && read_since <= newest)) release_retired_slowly();
  }

  // A thread that holds the mutex or reads does not exist in a child of fork.
  void before_fork() { mutex_.lock(); }
  void after_fork_in_parent() { mutex_.unlock(); }
  void after_fork_in_child() {
    readers_without_slot_ = 0;
    mutex_.unlock();
  }

  static Word extent_of(Word entry) {
    return entry < control_entries ? 0 : 64 - static_cast<Word>(__builtin_clzll(entry / control_entries));
  }
  static Word extent_begin(Word extent) { return extent == 0 ? 0 : control_entries << (extent - 1); }
  static Word extent_end(Word extent) { return control_entries << extent; }

 private:
  friend class ReadGuard;

  // An address that may be none, so it is a number until it is asked for.
  static void prefetch_at(const char* base, Word offset) {
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(base) + offset));
  }

  struct Mapping {
    Word file;
    Word identity;  // a damaged count of files may give its number to another one
    char* base;
    Word mapped;
    std::atomic<Word> known;  // bytes that are there, as of the last look
    os::ReaderSlots::Moment retired_at = 0;
    Mapping* next = nullptr;  // of the list of retired ones that it is in
  };
  using MappedFile = std::atomic<Mapping*>;
  // What a MappedFile should be: the number it is known by, how much must be there, how much is recorded to be there,
  // and how much it may become.
  struct Wanted {
    Word file;
    Word end;
    Word recorded;
    Word capacity;
    bool is_table;
  };

  Fault segment_in_control(Word number, Word end, char** base) const {
    if (end > control_segment_size_) return Fault::damaged("segment: offset", end, control_segment_size_);
    *base = control_segments_ + number * control_segment_size_;
    return {};
  }
  Fault map_segment(Word number, Word file, Word end, char** base);
  Fault map_entry(Word table, Word number, Entry** entry);
  // Null: not mapped, of another file, or shorter, as far as is known.
  [[gnu::always_inline]] static char* known_base(const MappedFile& place, Word file, Word end) {
    const Mapping* found = place.load(std::memory_order_acquire);
    const bool is_there = found && found->file == file && end <= found->known.load(std::memory_order_relaxed);
    return is_there ? found->base : nullptr;
  }
  [[gnu::always_inline]] Word* known_slots(const MappedFile& place, SlotsName name) const {
    if (name.bits() > slots_bits_max) return nullptr;
    const Word file = name.file();
    if (file == control_slots_a || file == control_slots_b) {
      if (name.count() != control_slots) return nullptr;
      return reinterpret_cast<Word*>(control_slots_) + (file - control_slots_a) * control_slots;
    }
    return reinterpret_cast<Word*>(known_base(place, file, name.count() * sizeof(Word)));
  }
  [[gnu::always_inline]] Fault slots_at(MappedFile& place, SlotsName name, Word** words) {
    *words = known_slots(place, name);
    return *words ? Fault::none() : map_slots(place, name, words);
  }
  Fault map_slots(MappedFile& place, SlotsName name, Word** words);
  Fault map(MappedFile& place, const Wanted& wanted, const char* name, char** base);
  void retire(Mapping* mapping, bool is_table);
  void retire_if_gone(MappedFile& place, Word file, bool is_table);
  void retire_removed();
  void release_retired_slowly();
  static void destroy_all(Mapping* list);
  static void destroy(Mapping* mapping);

  DictFiles files_;
  std::shared_ptr<os::LivenessToken> token_;
  mutable Poison poison_;
  Control* control_ = nullptr;
  Word control_size_ = 0;
  Entry* control_entries_ = nullptr;
  char* control_slots_ = nullptr;
  char* control_segments_ = nullptr;
  Word control_segment_size_ = 0;
  MappedFile segments_[segments_max] = {};
  MappedFile extents_[extents_max] = {};
  MappedFile slots_{};
  MappedFile next_slots_{};
  std::atomic<const char*> segment_hints_[segments_max] = {};  // where they were mapped last
  std::atomic<const char*> slots_hint_ = nullptr;

  Mutex mutex_;  // guards what follows, and replacing a MappedFile
  // Lists without an allocation: what is retired must be noted.
  Mapping* retired_ = nullptr;         // until no read is under way that began before
  Mapping* retired_tables_ = nullptr;  // until release_old_tables()
  bool retired_are_fenced_ = false;    // reads that began before those were retired are seen
  // When the newest of the retired was; 0: there is none; never: some can go whoever reads.
  std::atomic<os::ReaderSlots::Moment> newest_retired_ = 0;
  std::atomic<bool> keeps_old_tables_ = false;
  std::atomic<Word> seen_removals_ = 0;
  std::atomic<int> readers_without_slot_ = 0;
};

// This thread reads: nothing that it may have found is unmapped.
class ReadGuard {
 public:
  explicit ReadGuard(Regions& regions) : regions_(regions), slot_(os::ReaderSlots::mine()) {
    if (slot_) [[likely]] {
      outer_ = slot_->begin(&regions_);
    } else {
      regions_.readers_without_slot_.fetch_add(1);
      std::atomic_thread_fence(std::memory_order_seq_cst);  // the other half is in release_retired_slowly()
    }
  }
  ~ReadGuard() {
    if (slot_) [[likely]] {
      slot_->end(outer_);
      if (!outer_) regions_.release_retired_after(slot_->since());
    } else if (regions_.readers_without_slot_.fetch_sub(1) == 1) {
      regions_.release_retired();
    }
  }
  ReadGuard(const ReadGuard&) = delete;
  ReadGuard& operator=(const ReadGuard&) = delete;

 private:
  Regions& regions_;
  os::ReaderSlots::Slot* const slot_;
  const void* outer_ = nullptr;
};

}  // namespace ultradict
