// SPDX-License-Identifier: Apache-2.0
#include "interleavings/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "store/life.h"
#include "support/content.h"
#include "support/scale.h"

namespace ultradict::test {

void World::explore(const Scenario& scenario) {
  World world(scenario);
  if (!::testing::Test::HasFailure()) world.explore_all(is_stressed() ? scenario.in_full : scenario.in_short);
}

World::World(const Scenario& scenario) : scenario_(scenario) {
  Options options = scratch_.options();
  options.buffer_size = page_size;
  dict_ = scratch_.open("dict", options);
  store_ = find_open(dict_.id());
  // The same places in every run of this program.
  for (std::size_t i = 0; i < secret_size; ++i) store_->secret[i] = static_cast<std::uint8_t>(i);
  scenario.prepare(dict_);
  copy_.emplace(dict_);
  std::size_t looked_at = 0;
  EXPECT_TRUE(copy_->try_update(&looked_at));
  if (scenario.change) scenario.change(dict_);
  for (const auto& [key, value] : content_of(dict_)) {
    content_[key] = value;
    order_.push_back(key);
  }
  save();
  std::vector<Scheduler::Body> bodies;
  for (const Script& script : scenario.threads) bodies.emplace_back([this, &script] { script(*this); });
  scheduler_ = std::make_unique<Scheduler>(std::move(bodies), &store_->control(), control_.size());
  scheduler_->when_all_sleep([this] {
    if (LockWord{store_->control().lock}.is_free()) fail("all sleep and the lock is free: a wake-up was lost");
  });
}

void World::save() {
  control_.assign(reinterpret_cast<const char*>(&store_->control()), store_->control().identity.size);
  const SlotsName next{store_->state().next_slots};
  Word* words = nullptr;
  if (next.word == 0 || store_->regions.next_slots(next, &words)) return;
  next_slots_.assign(reinterpret_cast<const char*>(words), next.count() * sizeof(Word));
}

void World::explore_all(const Bounds& bounds) {
  for (is_strict_ = true;; is_strict_ = false) {
    scheduler_->set_weak(!is_strict_);
    const int most = is_strict_ ? bounds.strict : bounds.weak;
    runs_ = 0;
    for (int deviations = 0; deviations <= most && failure_.empty(); ++deviations) explore_with(deviations);
    std::printf("interleavings: %-44s %9llu runs, %d deviations, %s\n", scenario_.name.c_str(),
                static_cast<unsigned long long>(runs_), most, is_strict_ ? "sequential" : "weak memory");
    if (!is_strict_) return;
  }
}

void World::explore_with(int deviations) {
  do {
    Choices choices(deviations);
    do {
      begin_run();
      scheduler_->run(choices);
      end_run();
      ++runs_;
      if (failure_.empty()) continue;
      ADD_FAILURE() << scenario_.name << (is_strict_ ? ", sequential" : ", weak memory") << ", run " << runs_
                    << ", choices:" << choices.described() << ": " << failure_;
      return;
    } while (choices.next());
  } while (scheduler_->learn());
}

// Control as it was; but no number of a file is used twice, for this process may still have the former mapped.
void World::begin_run() {
  Control& control = store_->control();
  const Word next_file = control.state.next_file;
  std::memcpy(static_cast<void*>(&control), control_.data(), control_.size());
  control.state.next_file = std::max(next_file, control.state.next_file);
  Word* words = nullptr;
  if (!next_slots_.empty() && !store_->regions.next_slots(SlotsName{control.state.next_slots}, &words)) {
    std::memcpy(words, next_slots_.data(), next_slots_.size());
  }
  store_->last_put_inserted = false;
  history_.begin_run(content_);
  inside_ = 0;
}

void World::end_run() {
  if (store_->control().lock != 0 && (store_->control().lock & LockWord::number_mask) != 0) fail("the lock is held");
  const auto& before = *reinterpret_cast<const Control*>(control_.data());
  if (scenario_.happens && !scenario_.happens(before, store_->control())) fail("what it is about did not happen");
  const std::string unsound = unsoundness_of(dict_);
  if (!unsound.empty()) fail("not sound: " + unsound);
}

void World::fail(const std::string& what) {
  if (failure_.empty()) failure_ = what;
}

void World::write(const std::vector<std::pair<std::string, Answer>>& changes,
                  const std::function<Status()>& operation) {
  for (const auto& [key, value] : changes) {
    history_.begin_write(key, value, scheduler_->moment(), Scheduler::self());
  }
  const Status status = operation();
  if (!status && status.code() != Code::not_found) fail("a write: " + status.message());
  history_.end_writes(scheduler_->moment(), Scheduler::self());
}

void World::put(const std::string& key, const std::string& value) {
  write({{key, value}}, [&] { return dict_.put(key, value); });
}

void World::put_all(const std::map<std::string, std::string>& items) {
  std::vector<Item> all;
  std::vector<std::pair<std::string, Answer>> changes;
  for (const auto& [key, value] : items) {
    all.push_back(Item{Key{key, {}, false}, value, {}});
    changes.emplace_back(key, value);
  }
  write(changes, [&] { return dict_.put_all(all); });
}

void World::erase(const std::string& key) {
  write({{key, std::nullopt}}, [&] { return dict_.erase(key); });
}

void World::clear() {
  std::vector<std::pair<std::string, Answer>> changes;
  for (const std::string& key : history_.keys()) changes.emplace_back(key, std::nullopt);
  write(changes, [&] { return dict_.clear(); });
}

void World::clean() {
  write({}, [&] { return dict_.clean(); });
}

void World::judge(const std::string& key, const Status& status, const Answer& answer, std::int64_t begin) {
  if (!status && status.code() != Code::not_found) return fail("a read of " + key + ": " + status.message());
  if (history_.allows(Scheduler::self(), key, answer, {begin, scheduler_->moment()}, is_strict_)) return;
  fail("a read of " + key + " found " + answer.value_or("nothing") + ", which it was not then");
}

void World::get(const std::string& key) {
  const std::int64_t begin = scheduler_->moment();
  std::string value;
  const Status status = dict_.get(key, &value);
  judge(key, status, status ? Answer(value) : Answer(), begin);
}

void World::contains(const std::string& key) {
  const std::int64_t begin = scheduler_->moment();
  const Status status = dict_.contains(key);
  if (!status && status.code() != Code::not_found) return fail("contains " + key + ": " + status.message());
  if (!status) judge(key, status, std::nullopt, begin);
  if (status && !history_.may_be_there(Scheduler::self(), key, {begin, scheduler_->moment()}, is_strict_)) {
    fail("contains found " + key + ", which was not there then");
  }
}

void World::reread(const std::string& key, int times) {
  Sighting seen;
  Buffer buffer;
  Record record;
  std::int64_t begin = scheduler_->moment();
  Status status = dict_.find(key, &seen, &buffer, &record);
  Answer value = status ? Answer(std::string(record.value)) : Answer();
  judge(key, status, value, begin);
  for (int i = 0; i < times && status; ++i) {
    begin = scheduler_->moment();
    bool moved = false;
    status = dict_.reread(&seen, &buffer, &record, &moved);
    if (status.code() == Code::changed) return;
    if (status && !moved) value = std::string(record.value);
    judge(key, status, value, begin);
  }
}

void World::walk(Cursor::Direction direction, bool with_records) {
  const std::int64_t begin = scheduler_->moment();
  Cursor cursor(dict_, direction);
  Sighting seen;
  Buffer buffer;
  Record record;
  std::vector<std::string> met;
  std::vector<std::uint64_t> born;
  Status status;
  while ((status = cursor.next(&seen, with_records ? &buffer : nullptr, &record))) {
    born.push_back(seen.born);
    if (!with_records) continue;
    met.emplace_back(record.canonical);
    judge(met.back(), status, Answer(std::string(record.value)), begin);
  }
  if (status.code() != Code::not_found) fail("a walk: " + status.message());
  for (const std::string& key : met) {
    if (std::ranges::count(met, key) != 1) fail("a walk met " + key + " twice");
  }
  if (direction == Cursor::Direction::backward) std::ranges::reverse(born);
  if (std::ranges::adjacent_find(born, std::greater_equal<>()) != born.end()) fail("a walk is out of order");
  std::size_t there = 0;
  for (const std::string& key : order_) {
    if (!history_.was_there_throughout(Scheduler::self(), key, {begin, scheduler_->moment()}, is_strict_)) continue;
    ++there;
    if (with_records && std::ranges::count(met, key) == 0) fail("a walk missed " + key);
  }
  if (born.size() < there) fail("a walk missed a key");
}

namespace {

// Whether a key known to the history is one of the dict at the path itself.
bool lies_at(const std::string& path, const std::string& key) {
  return key.starts_with(path) && key.find('/', path.size()) == key.npos;
}

}  // namespace

void World::update(Copy* copy, const std::string& path) {
  const std::int64_t begin = scheduler_->moment();
  std::size_t looked_at = 0;
  if (const Status status = copy->try_update(&looked_at); !status) return fail("changes: " + status.message());
  const Content content = copy->content();
  std::map<std::string, std::string> items;
  for (const auto& [key, value] : content) items[path + key] = value;
  if (items.size() != content.size()) fail("a copy has a key twice");
  const std::vector<std::string> keys = history_.keys();
  for (const auto& [key, value] : items) {
    const bool was_there = std::find(keys.begin(), keys.end(), key) != keys.end();
    if (!was_there) fail("a copy has " + key + ", which was gone before");
  }
  for (const std::string& key : keys) {
    if (!lies_at(path, key)) continue;
    const auto found = items.find(key);
    judge(key, Status(), found == items.end() ? Answer() : Answer(found->second), begin);
  }
}

void World::follow(int updates, bool writes) {
  Copy copy(dict_);
  for (int i = 0; i < updates; ++i) {
    if (i > 0 && writes) put("mine", std::to_string(i));  // so that there is something to follow in every order
    update(&copy);
  }
}

void World::follow_on() {
  Copy copy = *copy_;
  update(&copy);
}

void World::nest(const std::string& key) {
  write({{key, nested_value}}, [&] {
    Dict child;
    return dict_.put_new_child(key, &child);
  });
}

Dict World::nested(const std::string& key) {
  Dict child;
  if (const Status status = dict_.open_child(key, &child); !status) fail("a nested dict: " + status.message());
  return child;
}

void World::clear_nested(const std::string& key) {
  Dict child = nested(key);
  std::vector<std::pair<std::string, Answer>> changes;
  for (const std::string& known : history_.keys()) {
    if (lies_at(key + "/", known)) changes.emplace_back(known, std::nullopt);
  }
  write(changes, [&] { return child.clear(); });
}

void World::follow_nested(const std::string& key, int updates) {
  const Dict child = nested(key);
  Copy copy(child);
  for (int i = 0; i < updates; ++i) update(&copy, key + "/");
}

void World::lock_and_leave() {
  if (const Status status = dict_.lock(); !status) return fail("lock: " + status.message());
  if (++inside_ != 1) fail("two hold the lock");
  shared::store(store_->state().moved_records, shared::load(store_->state().moved_records) + 1);
  if (--inside_ != 0) fail("two hold the lock");
  if (const Status status = dict_.unlock(); !status) fail("unlock: " + status.message());
}

}  // namespace ultradict::test
