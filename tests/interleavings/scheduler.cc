// SPDX-License-Identifier: Apache-2.0
#include "interleavings/scheduler.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace ultradict::test {

namespace {

thread_local Scheduler* scheduler = nullptr;
thread_local std::size_t number_here = 0;

[[noreturn]] void give_up(const char* what, const Choices& choices) {
  std::fprintf(stderr, "interleavings: %s; deviations:%s\n", what, choices.described().c_str());
  std::abort();
}

}  // namespace

Scheduler* Scheduler::current() { return scheduler; }
std::size_t Scheduler::self() { return number_here; }

Scheduler::Scheduler(std::vector<Body> bodies, const void* begin, std::size_t size)
    : begin_(static_cast<const char*>(begin)), size_(size) {
  for (Body& body : bodies) {
    threads_.push_back(std::make_unique<Thread>());
    threads_.back()->body = std::move(body);
  }
  for (std::size_t i = 0; i < threads_.size(); ++i) threads_[i]->thread = std::thread([this, i] { serve(i); });
}

Scheduler::~Scheduler() {
  ends_ = true;
  for (auto& thread : threads_) thread->turn.release();
  for (auto& thread : threads_) thread->thread.join();
}

void Scheduler::serve(std::size_t number) {
  scheduler = this;
  number_here = number;
  Thread& me = *threads_[number];
  for (me.turn.acquire(); !ends_; me.turn.acquire()) {
    me.body();
    me.state = State::ended;
    leave_turn();
  }
}

void Scheduler::run(Choices& choices) {
  choices_ = &choices;
  choices.begin_run();
  memory_.begin_run(threads_.size());
  now_ = 1;
  moment_ = 0;
  for (auto& thread : threads_) {
    thread->state = State::ready;
    thread->loaded_last = nullptr;
  }
  leave_turn();
  all_ended_.acquire();
}

bool Scheduler::learn() {
  const std::size_t known = shared_.size();
  for (const auto& [word, touched] : touched_) {
    const unsigned both = touched.readers | touched.writers;
    const bool is_met = touched.writers != 0 && (both & (both - 1)) != 0;
    if (is_met) shared_.insert(word);
  }
  return shared_.size() != known;
}

// --- whose turn it is ---

std::vector<std::size_t> Scheduler::ready() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (threads_[i]->state == State::ready) found.push_back(i);
  }
  return found;
}

std::size_t Scheduler::first_sleeper() const {
  std::size_t first = threads_.size();
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (threads_[i]->state != State::sleeps) continue;
    if (first == threads_.size() || threads_[i]->wakes_at < threads_[first]->wakes_at) first = i;
  }
  return first;
}

void Scheduler::let_time_pass(std::size_t sleeper) {
  now_ = std::max(now_, threads_[sleeper]->wakes_at);
  threads_[sleeper]->state = State::ready;
}

// The thread whose turn it is cannot go on, or need not: another does.
void Scheduler::leave_turn() {
  std::vector<std::size_t> others = ready();
  if (others.empty()) {
    const std::size_t sleeper = first_sleeper();
    const bool all_ended =
        std::ranges::all_of(threads_, [](const auto& thread) { return thread->state == State::ended; });
    if (all_ended) return all_ended_.release();
    if (sleeper == threads_.size()) give_up("every thread waits for another", *choices_);
    if (look_) look_();
    let_time_pass(sleeper);
    others = {sleeper};
  }
  hand_over(others[static_cast<std::size_t>(choices_->choose(static_cast<int>(others.size()), false))]);
}

void Scheduler::hand_over(std::size_t to) {
  const bool comes_from_thread = scheduler == this;
  if (comes_from_thread && to == number_here) return;
  const bool goes_on = comes_from_thread && threads_[number_here]->state != State::ended;
  threads_[to]->turn.release();
  if (goes_on) threads_[number_here]->turn.acquire();
}

// Here another thread may get its turn, at the price of a deviation; or time passes, so that a sleeper does.
void Scheduler::point() {
  std::vector<std::size_t> others = ready();
  std::erase(others, number_here);
  const std::size_t sleeper = first_sleeper();
  const bool somebody_sleeps = sleeper != threads_.size();
  const auto way =
      static_cast<std::size_t>(choices_->choose(static_cast<int>(1 + others.size() + (somebody_sleeps ? 1 : 0)), true));
  if (way == 0) return;
  if (way <= others.size()) return hand_over(others[way - 1]);
  let_time_pass(sleeper);
  hand_over(sleeper);
}

void Scheduler::reach(const Word& word, bool writes) {
  if (moment() > moments_max) give_up("a run does not end", *choices_);
  const bool is_stable =
      reinterpret_cast<const char*>(&word) >= begin_ && reinterpret_cast<const char*>(&word) < begin_ + size_;
  if (is_stable) {
    Touched& touched = touched_[&word];
    (writes ? touched.writers : touched.readers) |= 1U << number_here;
  }
  if (!is_repeated(word, writes) && is_shared(word)) point();
}

bool Scheduler::is_shared(const Word& word) const {
  const auto* at = reinterpret_cast<const char*>(&word);
  return at < begin_ || at >= begin_ + size_ || shared_.contains(&word);
}

// Who loads the same word again and again waits for it: to be interrupted at the first two times is as good as at any.
bool Scheduler::is_repeated(const Word& word, bool writes) {
  Thread& me = *threads_[number_here];
  if (writes || me.loaded_last != &word) {
    me.loaded_last = writes ? nullptr : &word;
    me.loaded_times = 1;
    return false;
  }
  return ++me.loaded_times > same_loads_kept;
}

// --- what the hooks do ---

Word Scheduler::read(const Word& word, std::memory_order order) {
  reach(word, false);
  if (is_weak_ && is_shared(word)) return memory_.load(number_here, word, order, *choices_);
  return __atomic_load_n(&word, __ATOMIC_SEQ_CST);
}

void Scheduler::write(Word& word, Word value, std::memory_order order) {
  reach(word, true);
  const bool is_kept = is_weak_ && is_shared(word);
  if (is_kept) memory_.expect_store(word);
  __atomic_store_n(&word, value, __ATOMIC_SEQ_CST);
  if (is_kept) memory_.store(number_here, word, value, order);
}

bool Scheduler::change_if(Word& word, Word& expected, Word desired) {
  reach(word, true);
  if (word == expected) {
    if (is_weak_ && is_shared(word)) memory_.swap(number_here, word, desired);
    __atomic_store_n(&word, desired, __ATOMIC_SEQ_CST);
    return true;
  }
  expected = word;
  return false;
}

Word Scheduler::change(Word& word, Word desired) {
  Word before = word;
  while (!change_if(word, before, desired)) {
  }
  return before;
}

void Scheduler::fence(std::memory_order order) {
  if (is_weak_) memory_.fence(number_here, order);
}

void Scheduler::wait_on(const Word& word, std::uint32_t expected, std::int64_t duration) {
  reach(word, true);
  if (static_cast<std::uint32_t>(word) != expected) return;
  Thread& me = *threads_[number_here];
  me.state = State::sleeps;
  me.on = &word;
  me.wakes_at = now_ + duration;
  leave_turn();
}

bool Scheduler::wake_one(const Word& word) {
  reach(word, true);
  std::vector<Thread*> sleepers;
  for (auto& thread : threads_) {
    if (thread->state == State::sleeps && thread->on == &word) sleepers.push_back(thread.get());
  }
  if (sleepers.empty()) return false;
  const int woken = choices_->choose(static_cast<int>(sleepers.size()), false);
  sleepers[static_cast<std::size_t>(woken)]->state = State::ready;
  return true;
}

void Scheduler::pause(std::int64_t duration) {
  Thread& me = *threads_[number_here];
  me.state = State::sleeps;
  me.on = nullptr;
  me.wakes_at = now_ + duration;
  leave_turn();
}

void Scheduler::wait_for(const bool& is_held) {
  Thread& me = *threads_[number_here];
  while (is_held) {
    me.state = State::waits;
    me.on = &is_held;
    leave_turn();
  }
}

void Scheduler::note_free(const bool& is_held) {
  for (auto& thread : threads_) {
    if (thread->state == State::waits && thread->on == &is_held) thread->state = State::ready;
  }
}

}  // namespace ultradict::test
