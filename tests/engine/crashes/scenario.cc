// SPDX-License-Identifier: Apache-2.0
#include "crashes/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "crashes/closure.h"
#include "crashes/survivors.h"

namespace ultradict::test {

namespace {

// The world of a scenario: a dict that a process attaches to, changes and closes. Then a process attaches, takes the
// lock and finds what there is.
class DictWorld {
 public:
  explicit DictWorld(const Scenario& scenario) : scenario_(scenario) { foresee(); }

  World world() {
    return {
        [this](const std::string& directory) { prepare(directory); },
        [this] { dict_ = Dict(); },
        [this](const std::string& directory, const std::function<void()>& acknowledge) { act(directory, acknowledge); },
        [this](const std::string& directory) { return recover(directory); },
        [this](const std::string& directory) { return judge(directory); },
        numbers_};
  }

 private:
  Options options(const std::string& directory, Create create) const {
    Options options;
    options.directory = directory;
    options.create = create;
    options.auto_unlink = false;
    options.buffer_size = scenario_.buffer_size;
    options.max_bytes = scenario_.max_bytes;
    return options;
  }

  void prepare(const std::string& directory) {
    EXPECT_TRUE(Dict::open("dict", options(directory, Create::always), &dict_));
    for (const Step& step : scenario_.before) EXPECT_TRUE(step(dict_));
  }

  void note_outcome() {
    const Content content = content_of(dict_);
    const auto found = std::find(contents_.begin(), contents_.end(), content);
    numbers_.push_back(static_cast<int>(found - contents_.begin()));
    if (found == contents_.end()) contents_.push_back(content);
  }

  void foresee() {
    const Scratch scratch;
    prepare(scratch.path());
    note_outcome();
    for (const Step& step : scenario_.steps) {
      const Status status = step(dict_);
      EXPECT_TRUE(status) << status.message();
      note_outcome();
    }
    numbers_.push_back(numbers_.back());  // of the close
    EXPECT_LT(contents_.size(), 64U);
    expect_sound(dict_);
    dict_ = Dict();
  }

  void act(const std::string& directory, const std::function<void()>& acknowledge) {
    Dict dict;
    EXPECT_TRUE(Dict::open("dict", options(directory, Create::never), &dict));
    for (const Step& step : scenario_.steps) {
      EXPECT_TRUE(step(dict));
      acknowledge();
    }
    EXPECT_TRUE(dict.close());
    acknowledge();
  }

  std::string recover(const std::string& directory) {
    Status status = Dict::open("dict", options(directory, Create::never), &dict_);
    if (!status) return "attach: " + status.message();
    status = dict_.lock(at_once);
    if (!status) return "lock: " + status.message();
    status = dict_.unlock();
    return status ? "" : "unlock: " + status.message();
  }

  Verdict judge(const std::string& directory) {
    Content now = content_of(dict_);
    const auto found = std::find(contents_.begin(), contents_.end(), now);
    if (found == contents_.end()) return {-1, "a content that never was:\n" + summary_of(now)};
    Verdict verdict{static_cast<int>(found - contents_.begin()), left_over() + unsoundness_of(dict_)};
    if (verdict.broken.empty()) verdict.broken = go_on(directory, std::move(now));
    return verdict;
  }

  // What a dead one staged without the lock is found by the next care.
  std::string left_over() {
    if (orphans_of(dict_).empty()) return misfit();
    if (dict_.stats().recoveries != 0) return "left over: " + orphans_of(dict_);
    const Status status = dict_.clean();
    if (!status) return "clean: " + status.message();
    const std::string orphans = orphans_of(dict_);
    return orphans.empty() ? misfit() : "left over after cleaning: " + orphans;
  }

  // All files together are what max_bytes says, after a dead one's share was counted anew.
  std::string misfit() const {
    if (scenario_.max_bytes == 0) return "";
    std::uint64_t sum = 0;
    for (const auto& file : std::filesystem::directory_iterator(directory_of(dict_)))
      sum += (file.file_size() + page_size - 1) / page_size * page_size;
    const bool fits = sum == scenario_.max_bytes || (sum < scenario_.max_bytes && dict_.stats().recoveries == 0);
    return fits ? "" : std::to_string(sum) + " bytes of files";
  }

  // As a process that comes fresh; and it can go on.
  std::string go_on(const std::string& directory, Content expected) {
    dict_ = Dict();
    Status status = Dict::open("dict", options(directory, Create::never), &dict_);
    if (!status) return "attach again: " + status.message();
    if (content_of(dict_) != expected) return "another content when it is opened again";
    const auto count = static_cast<std::uint64_t>(std::count_if(
        expected.begin(), expected.end(), [](const auto& item) { return item.first.find('/') == item.first.npos; }));
    if (dict_.count() != count) return "count " + std::to_string(dict_.count());
    status = dict_.put("after", "it goes on");
    if (!status) return "put: " + status.message();
    expected.emplace_back("after", "it goes on");
    for (const auto& [key, value] : expected) {
      if (value_of(dict_, key) != value) return "look-up of " + key;
    }
    return content_of(dict_) == expected ? unsoundness_of(dict_) : "another content after a put";
  }

  Scenario scenario_;
  Dict dict_;
  std::vector<Content> contents_;  // that differ
  std::vector<int> numbers_;       // of the content after each step
};

}  // namespace

void die_everywhere(const Scenario& scenario) {
  if (forks_are_slow()) GTEST_SKIP() << "thousands of dicts";
  DictWorld world(scenario);
  Closure(world.world(), scenario.images_max).explore();
  if (!testing::Test::HasFailure()) kill_among_survivors(scenario);
}

}  // namespace ultradict::test
