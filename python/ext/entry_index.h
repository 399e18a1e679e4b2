// SPDX-License-Identifier: Apache-2.0
// EntryIndex: from an entry's number to the item of the cache that knows it. Its size follows the number of items, not
// that of the dict's keys: chains through the items, as many heads as there can be items. Entry numbers are handed out
// one after the other, so their low bits spread them well.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace ultradict::python {

class EntryIndex {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  EntryIndex() noexcept = default;
  EntryIndex(const EntryIndex&) = delete;
  EntryIndex& operator=(const EntryIndex&) = delete;
  ~EntryIndex() { release(); }

  // Room for items numbered below `capacity`, a power of two; afterwards it is empty. False without memory: unchanged.
  bool reset(std::uint32_t capacity) noexcept {
    auto* heads = static_cast<std::uint32_t*>(std::malloc(capacity * sizeof(std::uint32_t)));
    auto* nexts = static_cast<std::uint32_t*>(std::malloc(capacity * sizeof(std::uint32_t)));
    if (heads == nullptr || nexts == nullptr) {
      std::free(heads);
      std::free(nexts);
      return false;
    }
    release();
    heads_ = heads;
    nexts_ = nexts;
    capacity_ = capacity;
    forget_all();
    return true;
  }
  void release() noexcept {
    std::free(heads_);
    std::free(nexts_);
    heads_ = nexts_ = nullptr;
    capacity_ = 0;
  }
  void forget_all() noexcept {
    if (capacity_ != 0) std::fill_n(heads_, capacity_, none);
  }

  // `items[n].entry` says which entry item n belongs to.
  template <class Item>
  std::uint32_t find(std::uint32_t entry, const Item* items) const noexcept {
    if (capacity_ == 0) return none;
    std::uint32_t number = heads_[home(entry)];
    while (number != none && items[number].entry != entry) number = nexts_[number];
    return number;
  }
  void add(std::uint32_t entry, std::uint32_t number) noexcept {
    nexts_[number] = heads_[home(entry)];
    heads_[home(entry)] = number;
  }
  // Nothing happens if it is not there.
  void remove(std::uint32_t entry, std::uint32_t number) noexcept {
    if (capacity_ == 0) return;
    std::uint32_t* link = &heads_[home(entry)];
    while (*link != none && *link != number) link = &nexts_[*link];
    if (*link == number) *link = nexts_[number];
  }

 private:
  std::uint32_t home(std::uint32_t entry) const noexcept { return entry & (capacity_ - 1); }

  std::uint32_t* heads_ = nullptr;
  std::uint32_t* nexts_ = nullptr;
  std::uint32_t capacity_ = 0;
};

}  // namespace ultradict::python
