// SPDX-License-Identifier: Apache-2.0
#include "interleavings/memory.h"

#include <algorithm>

namespace ultradict::test {

namespace {

bool acquires(std::memory_order order) { return order == std::memory_order_acquire; }
bool releases(std::memory_order order) { return order == std::memory_order_release; }

}  // namespace

void Memory::begin_run(std::size_t thread_count) {
  locations_.clear();
  threads_.assign(thread_count, {});
}

Word Memory::load(std::size_t thread, const Word& word, std::memory_order order, Choices& choices) {
  Location& from = location(word);
  const auto last = static_cast<std::uint32_t>(from.stores.size() - 1);
  const std::uint32_t oldest = at(threads_[thread].known, from.number);
  const std::uint32_t number =
      last - static_cast<std::uint32_t>(choices.choose(static_cast<int>(last - oldest + 1), true));
  meet(threads_[thread], from, number, acquires(order));
  return from.stores[number].value;
}

void Memory::store(std::size_t thread, const Word& word, Word value, std::memory_order order) {
  Location& to = location(word);
  Thread& by = threads_[thread];
  const auto number = static_cast<std::uint32_t>(to.stores.size());
  at(by.known, to.number) = number;
  to.stores.push_back({value, releases(order) ? by.known : by.released});
  at(to.stores.back().made_known, to.number) = number;
}

void Memory::swap(std::size_t thread, const Word& word, Word value) {
  Location& to = location(word);
  meet(threads_[thread], to, static_cast<std::uint32_t>(to.stores.size() - 1), true);
  const View before = to.stores.back().made_known;
  store(thread, word, value, std::memory_order_release);
  join(to.stores.back().made_known, before);
}

void Memory::fence(std::size_t thread, std::memory_order order) {
  Thread& by = threads_[thread];
  if (acquires(order)) join(by.known, by.to_acquire);
  if (releases(order)) by.released = by.known;
}

Memory::Location& Memory::location(const Word& word) {
  const auto number = static_cast<std::uint32_t>(locations_.size());
  const auto [found, is_new] = locations_.try_emplace(&word, Location{number, {}});
  if (is_new) found->second.stores.push_back({word, {}});
  return found->second;
}

void Memory::meet(Thread& thread, const Location& from, std::uint32_t number, bool acquires) {
  at(thread.known, from.number) = number;
  join(acquires ? thread.known : thread.to_acquire, from.stores[number].made_known);
}

void Memory::join(View& into, const View& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) into[i] = std::max(into[i], from[i]);
}

std::uint32_t& Memory::at(View& view, std::uint32_t location) {
  if (view.size() <= location) view.resize(location + 1);
  return view[location];
}

}  // namespace ultradict::test
