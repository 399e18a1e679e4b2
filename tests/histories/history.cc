// SPDX-License-Identifier: Apache-2.0
#include "history.h"

#include <sched.h>
#include <sys/wait.h>

#include <cstdio>
#include <thread>

#include "actor.h"
#include "noise.h"

namespace ultradict::test {

namespace {

// Values are far apart, so that incremented ones are like no other.
constexpr std::int64_t value_step = 10'000;
constexpr const char* nested_key = "nested";

bool is_running(const Child& child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

void wait_for(const auto& condition) {
  while (!condition()) ::sched_yield();
}

}  // namespace

Plan::Plan(std::uint64_t number) : seed(number) {
  Random random(seed);
  process_count = static_cast<std::uint32_t>(2 + random.below(3));
  threads_each = static_cast<std::uint32_t>(1 + random.below(2));
  operation_count = line_length_max;
  key_count = static_cast<std::uint8_t>(3 + random.below(4));
  kill_count = seed % 2 == 0 ? 0 : static_cast<std::uint32_t>(3 + random.below(6));
  is_nested = random.below(4) == 0;
  clears = !is_nested && random.below(3) == 0;
}

History::History(const Plan& plan) : plan_(plan), random_(plan.seed) {
  open();
  for (std::uint32_t i = 0; i < line_count(); ++i) {
    shared_->lines[i].length =
        plan_.operation_count / line_count() + (i < plan_.operation_count % line_count() ? 1 : 0);
  }
}

void History::open() {
  Options options = scratch_.options();
  options.keeps_sightings = true;
  require(Dict::open("dict", options, &root_));
  if (!plan_.is_nested) return require(Dict::open("dict", options, &dict_));
  if (root_.contains(nested_key).code() == Code::not_found) return require(root_.put_new_child(nested_key, &dict_));
  require(root_.open_child(nested_key, &dict_));
}

// --- in a worker ---

void History::begin(std::uint32_t process) {
  const std::uint64_t seed = random_.next();
  processes_[process] = std::make_unique<Child>([this, process, seed] { work(process, seed); });
}

// One process in two uses the handles that it inherits, the other one its own.
void History::work(std::uint32_t process, std::uint64_t seed) {
  if (seed % 2 == 0) open();
  if (is_noise(process)) return make_noise(seed % 4 < 2 ? dict_ : root_, seed, shared_->stop);
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < plan_.threads_each; ++i) {
    Line& line = shared_->lines[process * plan_.threads_each + i];
    threads.emplace_back([this, &line, seed, i] { fill(line, seed + i); });
  }
  for (std::thread& thread : threads) thread.join();
}

void History::fill(Line& line, std::uint64_t seed) {
  Random random(seed);
  Actor actor(&dict_, seed);
  shared_->arrived.fetch_add(1);
  wait_for([&] { return shared_->arrived.load() >= line_count(); });
  for (std::uint32_t i = line.begun.load(); i < line.length; ++i) {
    const Kind kind = choose_kind(random);
    const auto key = static_cast<std::uint8_t>(random.below(plan_.key_count));
    Note& note = line.begin(kind, key, argument(line, i));
    Line::end(note, actor.act(kind, key, note.argument));
    if (random.below(16) == 0) ::sched_yield();
  }
}

// No two operations of a history bring the same value.
std::int64_t History::argument(const Line& line, std::uint32_t index) const {
  const auto number = static_cast<std::uint32_t>(&line - shared_->lines);
  return value_step * (1 + number * static_cast<std::int64_t>(line_length_max) + index);
}

Kind History::choose_kind(Random& random) const {
  if (plan_.clears && random.below(80) == 0) return Kind::clear;
  constexpr Kind kinds[] = {Kind::get, Kind::get,   Kind::get, Kind::get,        Kind::contains, Kind::put,
                            Kind::put, Kind::erase, Kind::pop, Kind::setdefault, Kind::increment};
  return kinds[random.below(std::size(kinds))];
}

// --- in the one that watches ---

std::uint32_t History::done_count() const {
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < line_count(); ++i) count += shared_->lines[i].begun.load();
  return count;
}

bool History::is_done(std::uint32_t process) const {
  for (std::uint32_t i = 0; i < plan_.threads_each; ++i) {
    if (!shared_->lines[process * plan_.threads_each + i].is_full()) return false;
  }
  return true;
}

bool History::is_in_call(std::uint32_t process) const {
  for (std::uint32_t i = 0; i < plan_.threads_each; ++i) {
    if (shared_->lines[process * plan_.threads_each + i].is_in_call()) return true;
  }
  return false;
}

// A process that ended before its lines were full ended by a fault.
bool History::all_live() const {
  for (std::uint32_t i = 0; i <= plan_.process_count; ++i) {
    if (!is_running(*processes_[i]) && (is_noise(i) || !is_done(i))) return false;
  }
  return true;
}

bool History::run() {
  processes_.resize(plan_.process_count + 1);
  for (std::uint32_t i = 0; i <= plan_.process_count; ++i) begin(i);
  while (done_count() < plan_.operation_count) {
    if (!all_live()) break;
    if (done_count() > (killed_ + 1) * plan_.operation_count / (plan_.kill_count + 1)) kill_when_due();
    ::sched_yield();
  }
  return finish();
}

// A process whose work is not done; the one that makes the noise, which most often holds the lock, every third time.
std::uint32_t History::choose_victim() {
  if (random_.below(3) == 0) return plan_.process_count;
  const auto first = static_cast<std::uint32_t>(random_.below(plan_.process_count));
  for (std::uint32_t i = 0; i < plan_.process_count; ++i) {
    const std::uint32_t process = (first + i) % plan_.process_count;
    if (!is_done(process)) return process;
  }
  return plan_.process_count;
}

// Waits until it is in the middle of something, and a moment more.
void History::aim_at(std::uint32_t victim) {
  wait_for([&] { return is_noise(victim) || is_in_call(victim) || !is_running(*processes_[victim]); });
  const std::int64_t end = now() + static_cast<std::int64_t>(random_.below(15'000));
  while (now() < end) {
  }
}

void History::kill_when_due() {
  const std::uint32_t victim = choose_victim();
  aim_at(victim);
  const int end = processes_[victim]->kill_and_wait();
  all_well_ = all_well_ && (end == -SIGKILL || end == 0);
  ++killed_;
  require(dict_.lock());
  require(dict_.unlock());
  if (!is_noise(victim)) {
    for (std::uint32_t i = 0; i < plan_.threads_each; ++i) shared_->lines[victim * plan_.threads_each + i].settle();
  }
  begin(victim);
}

bool History::finish() {
  for (std::uint32_t i = 0; i < plan_.process_count; ++i) all_well_ = processes_[i]->wait() == 0 && all_well_;
  shared_->stop.store(true);
  all_well_ = processes_[plan_.process_count]->wait() == 0 && all_well_;
  read_all_keys();
  const std::string unsound = unsoundness_of(root_);
  if (!unsound.empty()) std::fprintf(stderr, "%s", unsound.c_str());
  return all_well_ && unsound.empty();
}

// What is there at the end is part of the history.
void History::read_all_keys() {
  Line& line = shared_->lines[line_count()];
  Actor actor(&dict_, plan_.seed);
  for (std::uint8_t key = 0; key < plan_.key_count; ++key) {
    Note& note = line.begin(Kind::get, key, 0);
    Line::end(note, actor.act(Kind::get, key, 0));
  }
}

// --- the record ---

namespace {

void print_note(std::uint32_t client, const Note& note) {
  const std::string key = note.kind == Kind::clear ? "*" : std::to_string(note.key);
  const std::string answer = note.settled ? "?" : std::to_string(note.answer);
  std::printf("%u %s %s %lld %lld %lld %s\n", client, key.c_str(), kind_names[static_cast<int>(note.kind)],
              static_cast<long long>(note.argument), static_cast<long long>(note.called),
              static_cast<long long>(note.returned.load()), answer.c_str());
}

}  // namespace

void History::print() const {
  std::printf("history c++-%llu killed %u\n", static_cast<unsigned long long>(plan_.seed), killed_);
  for (std::uint32_t client = 0; client <= line_count(); ++client) {
    const Line& line = shared_->lines[client];
    for (std::uint32_t i = 0; i < line.begun.load(); ++i) print_note(client, line.notes[i]);
  }
  std::printf("end\n");
}

}  // namespace ultradict::test
