// SPDX-License-Identifier: Apache-2.0
#include "crashes/closure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "support/child.h"
#include "support/scale.h"

namespace ultradict::test {

namespace {

// Moments of an operation of which one is tried: all, unless each takes very long.
std::uint64_t stride() { return is_sanitized() ? 17 : 1; }
constexpr std::uint64_t recoveries_per_completeness_check = 64;

Tally& total() {
  static Tally all;
  return all;
}

class Report : public testing::Environment {
 public:
  void TearDown() override {
    if (total().operations != 0) std::printf("%s\n", total().text().c_str());
  }
};
[[maybe_unused]] const testing::Environment* const report = testing::AddGlobalTestEnvironment(new Report);

constexpr std::uint64_t images_of_large_max = 2000;  // at full length, of those whose recoveries are long

std::uint64_t bit(int outcome) { return std::uint64_t{1} << outcome; }

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  operations += other.operations;
  prefixes += other.prefixes;
  tried += other.tried;
  images += other.images;
  recovered_images += other.recovered_images;
  recovery_prefixes += other.recovery_prefixes;
  deaths = std::max(deaths, other.deaths);
  cut += other.cut;
  return *this;
}

std::string Tally::text() const {
  const std::string share = prefixes == 0 ? "-" : std::to_string(tried * 100 / prefixes);
  return "killed everywhere: " + std::to_string(operations) + " operations, " + std::to_string(tried) + " of " +
         std::to_string(prefixes) + " prefixes (" + share + " %), " + std::to_string(images) + " distinct states; " +
         std::to_string(recovery_prefixes) + " prefixes of recoveries with " + std::to_string(recovered_images) +
         " more states, up to " + std::to_string(deaths) + " deaths in a row, " +
         (cut == 0 ? "closed" : std::to_string(cut) + " sampled");
}

// Tells the closure of each moment.
class Closure::Recorder : public Watch {
 public:
  Recorder(const std::string& directory, Blocks& blocks, std::function<void(const Image&)> look)
      : Watch(directory, blocks), look_(std::move(look)) {
    observe(this);
  }
  Recorder(const std::string& directory, Blocks& blocks, const Image& start, std::function<void(const Image&)> look)
      : Watch(directory, blocks, start, start.restore(blocks, directory)), look_(std::move(look)) {
    observe(this);
  }
  ~Recorder() override { observe(nullptr); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  void changed() override { look_(image()); }

 private:
  std::function<void(const Image&)> look_;
};

Closure::Closure(World world, std::uint64_t images_max) : world_(std::move(world)), images_max_(images_max) {
  if (is_stressed()) images_max_ = images_max_ != 0 ? ~std::uint64_t{0} : images_of_large_max;
}

void Closure::explore() {
  if (forks_are_slow()) return;
  record_act();
  while (!tasks_.empty() && !testing::Test::HasFailure()) {
    const Task task = std::move(tasks_.back());
    tasks_.pop_back();
    run(task);
  }
  if (!testing::Test::HasFailure()) expect_steady();
  tally_.operations += world_.outcomes.size() - 1;
  total() += tally_;
}

void Closure::record_act() {
  Image start;
  {
    const std::string prepared = next_directory();
    std::filesystem::create_directory(prepared);
    world_.prepare(prepared);
    start = Recorder(prepared, blocks_, [](const Image&) {}).image();
    world_.let_go();
  }
  const std::string directory = next_directory();
  Recorder recorder(directory, blocks_, start, [&](const Image& image) { visit_act(image); });
  visit_act(start);
  world_.act(directory, [&] {
    ++acknowledged_;
    visit_act(recorder.image());
  });
  EXPECT_EQ(recorder.difference(), "") << "was changed unseen";
  EXPECT_EQ(acknowledged_ + 1, static_cast<int>(world_.outcomes.size()));
  std::reverse(tasks_.begin(), tasks_.end());
}

std::size_t Closure::fate_of(const Image& image, bool is_act, bool* is_new) {
  const std::uint64_t identity = image.identity();
  *is_new = false;
  const auto known = by_identity_.find(identity);
  if (known != by_identity_.end()) return known->second;
  std::size_t fate = fates_.size();
  if (!is_stressed()) {
    const auto [alike, differs] = by_essence_.try_emplace(essence(image, blocks_), fate);
    if (!differs && !is_act) fate = alike->second;
  }
  by_identity_[identity] = fate;
  *is_new = fate == fates_.size();
  if (*is_new) fates_.emplace_back();
  return fate;
}

void Closure::visit_act(const Image& image) {
  bool is_new = false;
  const std::size_t number = fate_of(image, true, &is_new);
  const auto done = static_cast<std::size_t>(acknowledged_);
  const std::size_t next = std::min(done + 1, world_.outcomes.size() - 1);
  fates_[number].allowed &= bit(world_.outcomes[done]) | bit(world_.outcomes[next]);
  const bool is_tried = act_.size() % stride() == 0;
  act_.emplace_back(number, acknowledged_);
  ++tally_.prefixes;
  tally_.tried += is_tried || !is_new ? 1 : 0;
  if (!is_new) return;
  ++tally_.images;
  if (is_tried) tasks_.push_back({number, image, "moment " + std::to_string(act_.size() - 1), 1});
}

void Closure::visit_recovery(const Image& image, const Task& task, std::vector<std::size_t>* met) {
  ++moments_;
  ++tally_.recovery_prefixes;
  if (images_max_ == 0) {
    tally_.cut = 1;
    return;
  }
  const bool is_full = tally_.recovered_images >= images_max_ || task.deaths == world_.deaths_max;
  if (is_full && !by_identity_.contains(image.identity())) {
    tally_.cut = 1;
    return;
  }
  bool is_new = false;
  const std::size_t number = fate_of(image, false, &is_new);
  if (number != task.fate) met->push_back(number);
  if (!is_new) return;
  ++tally_.recovered_images;
  tasks_.push_back({number, image, task.trail + ", then " + std::to_string(moments_), task.deaths + 1});
}

void Closure::run(const Task& task) {
  const std::string directory = next_directory();
  std::vector<std::size_t> met;
  const Verdict verdict = verdict_on(task, directory, &met);
  world_.let_go();
  std::filesystem::remove_all(directory);
  tally_.deaths = std::max(tally_.deaths, task.deaths);
  if (!verdict.broken.empty()) return fail(task, verdict.broken);
  const bool is_allowed = verdict.outcome >= 0 && (fates_[task.fate].allowed & bit(verdict.outcome)) != 0;
  if (!is_allowed) return fail(task, "that must not become outcome " + std::to_string(verdict.outcome));
  settle(task, verdict.outcome, met);
}

Verdict Closure::verdict_on(const Task& task, const std::string& directory, std::vector<std::size_t>* met) {
  moments_ = 0;
  std::uint64_t left = 0;
  {
    Recorder recorder(directory, blocks_, task.image, [&](const Image& image) { visit_recovery(image, task, met); });
    const std::string failed = world_.recover(directory);
    if (!failed.empty()) return {-1, failed};
    left = recorder.image().identity();
    if (directories_ % recoveries_per_completeness_check == 0) {
      if (const std::string unseen = recorder.difference(); !unseen.empty()) return {-1, "changed unseen: " + unseen};
    }
  }
  const auto known = verdicts_.find(left);
  return known != verdicts_.end() ? known->second : verdicts_[left] = world_.judge(directory);
}

// What was decided stays decided, for all that was met on the way.
void Closure::settle(const Task& task, int outcome, const std::vector<std::size_t>& met) {
  fates_[task.fate].outcome = outcome;
  for (const std::size_t number : met) {
    Fate& fate = fates_[number];
    fate.allowed &= bit(outcome);
    const bool is_undone = fate.allowed == 0 || (fate.outcome >= 0 && fate.outcome != outcome);
    if (is_undone) return fail(task, "outcome " + std::to_string(outcome) + " is another after one more death");
  }
}

// In the course of one step, once a death leaves it done every later one does.
void Closure::expect_steady() const {
  for (std::size_t moment = 1; moment < act_.size(); ++moment) {
    const auto [earlier, done] = act_[moment - 1];
    const auto [later, still] = act_[moment];
    const auto step = static_cast<std::size_t>(done);
    if (done != still || step + 1 >= world_.outcomes.size() || fates_[later].outcome < 0) continue;
    if (world_.outcomes[step] == world_.outcomes[step + 1]) continue;
    const bool is_undone =
        fates_[earlier].outcome == world_.outcomes[step + 1] && fates_[later].outcome == world_.outcomes[step];
    if (is_undone) ADD_FAILURE() << "moment " << moment << ": what a death one moment earlier leaves done is undone";
  }
}

void Closure::fail(const Task& task, const std::string& what) const {
  std::string allowed;
  for (std::size_t done = 0; done < world_.outcomes.size(); ++done) {
    if ((fates_[task.fate].allowed & bit(world_.outcomes[done])) != 0) allowed += " " + std::to_string(done);
  }
  ADD_FAILURE() << "died at " << task.trail << " of " << act_.size() << " (allowed outcomes: those of" << allowed
                << " steps): " << what;
}

std::string Closure::next_directory() { return scratch_.path() + "/w" + std::to_string(directories_++); }

}  // namespace ultradict::test
