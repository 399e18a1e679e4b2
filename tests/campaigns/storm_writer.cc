// SPDX-License-Identifier: Apache-2.0
#include "storm_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/shared_atomic.h"
#include "os/futex.h"
#include "support/child.h"
#include "support/stopwatch.h"

namespace ultradict::test::storm {

namespace {

const std::string canary = "canary";
const std::string counter = "counter";

enum class Kind : std::uint8_t { put, put_blob, put_three, erase, nest, erase_nested, increment, clear };

struct Operation {
  Kind kind;
  int slot;
};

Operation operation(std::uint64_t seed, int place, Number number) {
  Random random(seed * 1'000'003 + number * writers_max + static_cast<Number>(place));
  const int slot = static_cast<int>(random.below(nested_slot));
  static constexpr Kind kinds[] = {Kind::put,   Kind::put,   Kind::put,       Kind::put,       Kind::put,
                                   Kind::put,   Kind::put,   Kind::put,       Kind::put_three, Kind::put_three,
                                   Kind::erase, Kind::erase, Kind::increment, Kind::increment, Kind::nest};
  if (random.below(60) == 0) return {Kind::clear, slot};
  if (random.below(30) == 0) return {Kind::put_blob, slot};
  if (random.below(30) == 0) return {Kind::erase_nested, nested_slot};
  return {kinds[random.below(std::size(kinds))], slot};
}

// Words that count on from the number: any two mixed are neither.
std::string value_of_number(Number number, std::size_t size) {
  std::string value(size / sizeof(Word) * sizeof(Word), '\0');
  for (std::size_t at = 0; at < value.size(); at += sizeof(Word)) {
    const Word word = number * 0x9e3779b97f4a7c15ULL + at;
    std::memcpy(value.data() + at, &word, sizeof word);
  }
  return std::to_string(number) + "|" + value;
}

std::size_t size_of(const Operation& operation, Number number) {
  return operation.kind == Kind::put_blob ? blob_size_min + number % 3000 : number % 400;
}

void require_that(bool holds, const char* what, int place, const Values& found, const std::vector<Values>& possible) {
  if (holds) return;
  const auto print = [](const char* title, const Values& values) {
    std::fprintf(stderr, "  %s", title);
    for (const Number number : values) std::fprintf(stderr, " %llu", static_cast<unsigned long long>(number));
    std::fprintf(stderr, "\n");
  };
  std::fprintf(stderr, "writer %d: %s\n", place, what);
  print("found:   ", found);
  for (const Values& values : possible) print("possible:", values);
  ::_exit(1);
}

}  // namespace

// --- the lock ---

void Writer::take_lock(bool asks_at_once) {
  const std::int64_t began = os::monotonic_ns();
  if (!dict_.try_lock()) {
    const Stopwatch stopwatch;
    Status status = asks_at_once ? dict_.lock(Wait{0}) : Status(Code::lock_busy);
    if (status.code() == Code::lock_busy) status = dict_.lock();
    require(status);
    note_wait(os::monotonic_ns() - began, stopwatch.elapsed_ns());
  }
  note_takeover(began);
}

void Writer::note_wait(std::int64_t by_clock_ns, std::int64_t kept_waiting_ns) {
  note_.waits = note_.waits + 1;
  note_.wait_ns_max = std::max(note_.wait_ns_max.load(), kept_waiting_ns);
  note_.wait_by_clock_ns_max = std::max(note_.wait_by_clock_ns_max.load(), by_clock_ns);
}

void Writer::note_takeover(std::int64_t began_ns) {
  std::int32_t dead = 0;
  if (!dict_.has_recovery() || !dict_.take_recovery(&dead)) return;
  const int count = note_.takeover_count;
  if (count == takeovers_max) return;
  note_.takeovers[static_cast<std::size_t>(count)] = {dead, began_ns, os::monotonic_ns()};
  note_.takeover_count = count + 1;
}

// --- what the dict must hold ---

std::string Writer::key(int slot) const { return "w" + std::to_string(place_) + "-" + std::to_string(slot); }

void Writer::apply(Number number, Values* values) const {
  const Operation next = operation(seed_, place_, number);
  const auto set = [&](int slot, Number to) { (*values)[static_cast<std::size_t>(slot % nested_slot)] = to; };
  switch (next.kind) {
    case Kind::put:
    case Kind::put_blob:
      return set(next.slot, number);
    case Kind::put_three:
      for (int i = 0; i < 3; ++i) set(next.slot + i, number);
      return;
    case Kind::erase:
      return set(next.slot, 0);
    case Kind::nest:
    case Kind::erase_nested:
      (*values)[nested_slot] = next.kind == Kind::nest ? number : 0;
      return;
    case Kind::increment:
    case Kind::clear:
      return;
  }
}

// Assignments only: may be cut short and done again.
void Writer::advance_model() {
  Values values;
  std::copy(note_.expected.begin(), note_.expected.end(), values.begin());
  for (Number number = note_.modelled + 1; number <= note_.done; ++number) apply(number, &values);
  std::copy(values.begin(), values.end(), note_.expected.begin());
  note_.modelled = std::max(note_.modelled.load(), note_.done.load());
}

// What was acknowledged; with and without the one under way; with and without the one that met a clear.
std::vector<Values> Writer::possible() const {
  Values base;
  std::copy(note_.expected.begin(), note_.expected.end(), base.begin());
  for (Number& number : base) number = number < note_.cleared_below ? 0 : number;
  std::vector<Values> all{base};
  for (Number& number : base) number = number == note_.maybe_cleared ? 0 : number;
  all.push_back(base);
  if (note_.begun == note_.done) return all;
  for (std::size_t i = 0; i < 2; ++i) {
    all.push_back(all[i]);
    apply(note_.begun, &all.back());
  }
  return all;
}

Number Writer::found_in(const std::string& key) const {
  std::string value;
  const Status status = dict_.get(key, &value);
  if (status.code() == Code::not_found) return 0;
  require(status);
  const Number number = std::stoull(value);
  require(value == value_of_number(number, value.size() - value.find('|') - 1));
  return number;
}

Number Writer::found_in_nested() const {
  Dict child;
  const Status status = dict_.open_child(key(nested_slot), &child);
  if (status.code() == Code::not_found) return 0;
  require(status);
  const std::string a = test::value_of(child, "a");
  require(child.count() == 2 && test::value_of(child, "b") == a);
  return std::stoull(a);
}

Values Writer::found() const {
  Values values;
  for (int slot = 0; slot < nested_slot; ++slot) values[static_cast<std::size_t>(slot)] = found_in(key(slot));
  values[nested_slot] = found_in_nested();
  return values;
}

// Under the lock: nobody else changes the own keys now, nor clears.
void Writer::verify() {
  settle_clear();
  advance_model();
  const std::vector<Values> all = possible();
  const Values now = found();
  require_that(std::find(all.begin(), all.end(), now) != all.end(), "lost or half of a change", place_, now, all);
  settle();
  std::copy(now.begin(), now.end(), note_.expected.begin());
  note_.maybe_cleared = 0;
  note_.modelled = note_.begun.load();
  note_.done = note_.begun.load();
}

// A clear takes the canary with it.
void Writer::settle_clear() {
  ClearNote& clear = notes_.clear;
  const std::string seen = test::value_of(dict_, canary);
  const std::uint64_t begun = clear.begun;
  const std::uint64_t settled = clear.settled;
  if (begun == settled) return require(seen == std::to_string(settled));
  const bool happened = dict_.contains(canary).code() == Code::not_found || seen == std::to_string(begun);
  require(happened || (seen == std::to_string(settled) && clear.acknowledged != begun));
  if (!happened) {
    clear.begun = settled;
    return;
  }
  for (std::size_t i = 0; i < writers_max; ++i) {
    notes_.writers[i].cleared_below = clear.limits[i].load();
    notes_.writers[i].maybe_cleared = clear.ambiguous[i].load();
  }
  notes_.count_begun = 0;
  notes_.count_done = 0;
  require(dict_.put(canary, std::to_string(begun)));
  clear.settled = begun;
}

// The counter: who was to increment it may have died before, between or after.
void Writer::settle() {
  const bool is_there = static_cast<bool>(dict_.contains(counter));
  const std::uint64_t count = is_there ? std::stoull(test::value_of(dict_, counter)) : 0;
  require(count == notes_.count_begun || count == notes_.count_done);
  notes_.count_begun = count;
  notes_.count_done = count;
}

// --- what it does ---

void Writer::put(int slot, Number number) {
  const std::string value = value_of_number(number, size_of(operation(seed_, place_, number), number));
  Sighting seen;
  const std::string own = key(slot);
  if (number % 2 == 0 && value.size() <= blob_size_min && dict_.try_put(Key{own}, value, &seen)) return;
  require(dict_.put(own, value));
}

void Writer::put_three(int slot, Number number) {
  const std::string value = value_of_number(number, number % 300);
  const std::string keys[] = {key(slot % nested_slot), key((slot + 1) % nested_slot), key((slot + 2) % nested_slot)};
  const Item items[] = {{Key{keys[0]}, value}, {Key{keys[1]}, value}, {Key{keys[2]}, value}};
  require(dict_.put_all(items));
}

void Writer::erase(int slot) {
  const Status status = dict_.erase(key(slot));
  require(status.code() == Code::not_found || status);
}

// A new nested dict, or another content of the one that is there.
void Writer::nest(Number number) {
  const std::string text = std::to_string(number);
  const std::string own = key(nested_slot);
  const Item items[] = {{Key{"a"}, text}, {Key{"b"}, text}};
  ChildBuilder builder(dict_);
  require(builder.status());
  Dict child;
  if (number % 2 == 0 && dict_.open_child(own, &child)) return require(child.put_all(items));
  require(builder.make(&child));
  require(child.put_all(items));
  require(dict_.put_child(Key{own}, child));
}

void Writer::increment() {
  take_lock(false);
  settle_clear();
  settle();
  const std::uint64_t next = notes_.count_done + 1;
  notes_.count_begun = next;
  require(dict_.put(counter, std::to_string(next)));
  notes_.count_done = next;
  notes_.increments = notes_.increments + 1;
  require(dict_.unlock());
}

void Writer::clear(Number number) {
  take_lock(false);
  settle_clear();
  ClearNote& clear = notes_.clear;
  for (std::size_t i = 0; i < writers_max; ++i) {
    const WriterNote& writer = notes_.writers[i];
    const Number begun = writer.begun;
    const bool is_under_way = writer.done < begun;
    clear.limits[i] = is_under_way ? begun : begun + 1;
    clear.ambiguous[i] = is_under_way ? begun : 0;
  }
  (void)number;
  clear.last = clear.last + 1;
  clear.begun = clear.last.load();
  require(dict_.clear());
  clear.acknowledged = clear.begun.load();
  settle_clear();
  require(dict_.unlock());
}

void Writer::change(Number number) {
  const Operation next = operation(seed_, place_, number);
  switch (next.kind) {
    case Kind::put:
    case Kind::put_blob:
      return put(next.slot, number);
    case Kind::put_three:
      return put_three(next.slot, number);
    case Kind::erase:
    case Kind::erase_nested:
      return erase(next.slot);
    case Kind::nest:
      return nest(number);
    case Kind::increment:
      return increment();
    case Kind::clear:
      return clear(number);
  }
}

void Writer::do_next(Random& chance) {
  const bool holds = chance.below(6) == 0;
  if (holds) take_lock(false);
  for (std::uint64_t times = holds ? 1 + chance.below(5) : 1; times > 0; --times) {
    const std::int64_t began = os::monotonic_ns();
    const Number number = note_.begun + 1;
    note_.begun = number;
    change(number);
    note_.done = number;
    note_.acknowledged = note_.acknowledged + 1;
    note_takeover(began);
  }
  if (holds) require(dict_.unlock());
}

void Writer::run() {
  Random chance(static_cast<std::uint64_t>(::getpid()) * 7919 + note_.done);
  take_lock(chance.below(4) != 0);
  note_.participant = LockWord{shared::load(control_.lock)}.owner();
  verify();
  require(dict_.unlock());
  for (;;) do_next(chance);
}

}  // namespace ultradict::test::storm
