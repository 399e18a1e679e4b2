// SPDX-License-Identifier: Apache-2.0
// Cache, the part that is not on the way of a hit: growth, removal, the CLOCK hand. Allocation goes through realloc and
// may fail anywhere; then the cache simply does not learn.
#include "cache.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "object_size.h"

namespace ultradict::python {

const std::atomic<std::uint64_t> Cache::never_{0};

namespace {

constexpr std::uint64_t unit = 16;  // bytes, in which an item's size is kept

char* next_line(char* at) noexcept {
  constexpr std::size_t line = alignof(Cache::Item);
  return at + (line - reinterpret_cast<std::uintptr_t>(at) % line) % line;
}

// May run Python code: to compare, and to let go of a key that has left the cache meanwhile.
int compare_by_python(PyObject* known, PyObject* key) {
  const Ref held = Ref::share(known);
  return PyObject_RichCompareBool(held.get(), key, Py_EQ);
}

}  // namespace

Cache::~Cache() {
  if (budget_ != nullptr) budget_->leave(this);
  std::free(own_slots_);
  std::free(items_memory_);
}

void Cache::begin(const Dict& engine, CacheBudget* budget) noexcept {
  table_word_ = &engine.table_word();
  table_number_ = table_word_->load(std::memory_order_acquire);
  budget_ = budget;
  budget_->join(this);
}

// It begins anew when Python code has changed the cache.
int Cache::find_by_python(Py_hash_t hash, PyObject* key, std::uint32_t* number) {
  const std::uint32_t tag = tag_of(hash);
  auto perturb = static_cast<std::size_t>(hash);
  std::size_t at = perturb & mask_;
  while (slots_[at].link != Slot::empty) {
    const Slot slot = slots_[at];
    if (slot.tag == tag && slot.link >= Slot::first && items_[slot.link - Slot::first].hash == hash) {
      *number = slot.link - Slot::first;
      if (same_plain_key(items_[*number].key, key)) return 1;
      const std::uint64_t version = version_;
      const int same = compare_by_python(items_[*number].key, key);
      const bool is_changed = version != version_;
      if (same < 0) {
        // A key that may have been gone before is not compared.
        if (is_changed || current(items_[*number]) || PyErr_ExceptionMatches(PyExc_Exception) == 0) return -1;
        PyErr_Clear();  // may run Python code
        if (version == version_) remove(*number);
      }
      if (is_changed || same < 0) {
        perturb = static_cast<std::size_t>(hash);
        at = perturb & mask_;
        continue;
      }
      if (same != 0) return 1;
    }
    at = next_slot(at, &perturb);
  }
  return 0;
}

Sighting Cache::sighting(const Item& item) const noexcept {
  Sighting seen;
  seen.ref_word = item.ref_word;
  seen.table_word = table_word_;
  seen.ref = item.ref;
  seen.table_number = table_number_;
  seen.sequence = item.sequence;
  seen.born = item.born;
  seen.entry = item.entry;
  return seen;
}

bool Cache::follow_table(const std::atomic<std::uint64_t>& word, std::uint64_t number) noexcept {
  if (number <= table_number_) return number == table_number_;
  table_word_ = &word;
  table_number_ = number;
  for (std::uint32_t item = 0; item < item_count_; ++item) items_[item].ref_word = &never_;
  by_entry_.forget_all();
  return table_left_ = true;
}

void Cache::expire() noexcept {
  static constinit const std::atomic<std::uint64_t> never_another{~std::uint64_t{0}};
  (void)follow_table(never_another, never_another);
}

bool Cache::rebuild_slots(std::size_t slot_count) noexcept {
  auto* fresh = static_cast<Slot*>(std::calloc(slot_count, sizeof(Slot)));
  if (fresh == nullptr) return false;
  std::free(own_slots_);
  slots_ = own_slots_ = fresh;
  mask_ = slot_count - 1;
  slots_used_ = 0;
  for (std::uint32_t number = 0; number < item_count_; ++number) {
    if (items_[number].key != nullptr) place(number);
  }
  return true;
}

bool Cache::reserve_slot() noexcept {
  const std::size_t slot_count = own_slots_ == nullptr ? 0 : mask_ + 1;
  if ((slots_used_ + 1) * 3 < slot_count * 2) return true;
  std::size_t wanted = 16;
  while (wanted < (std::size_t{count()} + 1) * 3) wanted *= 2;
  return rebuild_slots(wanted);
}

// Items begin at a cache line. A large array is moved by realloc without touching it, and keeps its place in the line.
bool Cache::grow_items(std::size_t count) noexcept {
  const std::ptrdiff_t skipped = reinterpret_cast<char*>(items_) - items_memory_;
  auto* const moved = static_cast<char*>(std::realloc(items_memory_, count * sizeof(Item) + alignof(Item)));
  if (moved == nullptr) return false;
  items_memory_ = moved;
  char* const first = next_line(items_memory_);
  if (first - items_memory_ != skipped) std::memmove(first, items_memory_ + skipped, item_count_ * sizeof(Item));
  items_ = reinterpret_cast<Item*>(first);
  return true;
}

bool Cache::reserve_item() noexcept {
  if (first_free_ != none || item_count_ < item_capacity_) return true;
  const std::uint32_t wanted = item_capacity_ == 0 ? 16 : item_capacity_ * 2;
  if (!grow_items(wanted) || !by_entry_.reset(wanted)) return false;
  item_capacity_ = wanted;
  for (std::uint32_t number = 0; number < item_count_; ++number) {
    const Item& item = items_[number];
    if (item.key != nullptr && item.ref_word != &never_) by_entry_.add(item.entry, number);
  }
  return true;
}

void Cache::place(std::uint32_t number) noexcept {
  auto perturb = static_cast<std::size_t>(items_[number].hash);
  std::size_t at = perturb & mask_;
  while (own_slots_[at].link >= Slot::first) at = next_slot(at, &perturb);
  if (own_slots_[at].link == Slot::empty) ++slots_used_;
  own_slots_[at] = {number + Slot::first, tag_of(items_[number].hash)};
}

void Cache::insert(Py_hash_t hash, PyObject* key, bool key_known, PyObject* value, const Sighting& seen,
                   std::uint64_t size) {
  if (!follow_table(seen)) return;
  size = objects_size(key, value, size);
  if (!enabled() || size + item_overhead > size_max()) return;
  const std::uint32_t rival = find_entry(seen);
  if (rival != none) remove(rival);
  if (!reserve_slot() || !reserve_item()) return;
  std::uint32_t number = first_free_;
  if (number == none) {
    number = item_count_++;
  } else {
    first_free_ = items_[number].entry;
    --free_count_;
  }
  Py_INCREF(key);
  Py_XINCREF(value);
  Item& item = items_[number];
  item = Item{hash, key, value, 0, nullptr, 0, 0, 0, used_mark | (key_known ? key_known_mark : 0)};
  set_sighting(item, number, seen);
  set_size(item, size);
  place(number);
  ++version_;
  if (!budget_->has_room(0)) budget_->make_room(*this, number);
}

void Cache::set_sighting(Item& item, std::uint32_t number, const Sighting& seen) noexcept {
  item.ref = seen.ref;
  item.ref_word = seen.ref_word;
  item.sequence = seen.sequence;
  item.born = seen.born;
  item.entry = seen.entry;
  by_entry_.add(seen.entry, number);
}

void Cache::set_size(Item& item, std::uint64_t size) noexcept {
  const std::uint64_t old_units = item.marks & units_mask;
  const std::uint64_t units = std::min<std::uint64_t>((size + item_overhead) / unit, units_mask);
  size_ += (units - old_units) * unit;
  budget_->add((units - old_units) * unit);
  item.marks = (item.marks & ~units_mask) | static_cast<std::uint32_t>(units);
}

void Cache::renew(Item& item, PyObject* value, const Sighting& seen, std::uint64_t size) noexcept {
  const std::uint32_t number = number_of(item);
  size = objects_size(item.key, value, size);
  if (!follow_table(seen) || size + item_overhead > size_max()) return remove(number);
  if (value != item.value) {
    Py_XINCREF(value);
    doom(item.value);
    item.value = value;
  }
  follow_entry(item, number, seen);
  set_size(item, size);
  touch(item);
  if (!budget_->has_room(0)) budget_->make_room(*this, number);
}

void Cache::replace_ref(Item& item, const Sighting& seen) noexcept {
  const std::uint32_t number = number_of(item);
  if (!follow_table(seen)) return remove(number);
  follow_entry(item, number, seen);
}

void Cache::set_key(Item& item, PyObject* key) noexcept {
  Py_INCREF(key);
  doom(item.key);
  item.key = key;
  item.marks |= key_known_mark;
}

void Cache::follow_entry(Item& item, std::uint32_t number, const Sighting& seen) noexcept {
  if (item.entry == seen.entry && item.ref_word == seen.ref_word) {
    item.ref = seen.ref;
    item.sequence = seen.sequence;
    item.born = seen.born;
    return;
  }
  by_entry_.remove(item.entry, number);
  set_sighting(item, number, seen);
}

void Cache::remove(std::uint32_t number) noexcept {
  Item& item = items_[number];
  auto perturb = static_cast<std::size_t>(item.hash);
  std::size_t at = perturb & mask_;
  while (own_slots_[at].link != number + Slot::first) at = next_slot(at, &perturb);
  own_slots_[at].link = Slot::deleted;
  by_entry_.remove(item.entry, number);
  const std::uint64_t size = std::uint64_t{item.marks & units_mask} * unit;
  size_ -= size;
  budget_->add(-size);
  doom(std::exchange(item.key, nullptr));
  doom(std::exchange(item.value, nullptr));
  item.marks = 0;
  item.entry = std::exchange(first_free_, number);
  ++free_count_;
  ++version_;
}

// One round: drops items that were not used since the hand came by, until the bound holds again; never `kept`.
void Cache::evict(std::uint32_t kept) noexcept {
  for (std::uint64_t steps = item_count_; !budget_->has_room(0) && steps != 0; --steps) {
    hand_ = hand_ + 1 < item_count_ ? hand_ + 1 : 0;
    Item& item = items_[hand_];
    if (item.key == nullptr || hand_ == kept) continue;
    if ((item.marks & used_mark) != 0) {
      item.marks &= ~used_mark;
    } else {
      remove(hand_);
    }
  }
}

void Cache::clear() noexcept {
  for (std::uint32_t number = 0; number < item_count_; ++number) {
    doom(std::exchange(items_[number].key, nullptr));
    doom(std::exchange(items_[number].value, nullptr));
  }
  std::free(own_slots_);
  std::free(items_memory_);
  by_entry_.release();
  slots_ = no_slots_;
  own_slots_ = nullptr;
  items_ = nullptr;
  items_memory_ = nullptr;
  mask_ = slots_used_ = 0;
  item_count_ = item_capacity_ = free_count_ = hand_ = 0;
  first_free_ = none;
  if (budget_ != nullptr) budget_->add(-size_);
  size_ = 0;
  ++version_;
}

int Cache::traverse(visitproc visit, void* arg) {
  for (std::uint32_t number = 0; number < item_count_; ++number) {
    Py_VISIT(items_[number].key);
    Py_VISIT(items_[number].value);
  }
  return 0;
}

}  // namespace ultradict::python
