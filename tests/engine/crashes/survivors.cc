// SPDX-License-Identifier: Apache-2.0
#include "crashes/survivors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "crashes/crash_point.h"
#include "support/copy.h"
#include "support/scale.h"
#include "support/scratch.h"
#include "support/stopwatch.h"

namespace ultradict::test {

namespace {

// Beyond that only every n-th store is tried.
std::uint64_t deaths_max() { return is_sanitized() ? 10 : scaled(25, 10'000); }

class Survivors {
 public:
  explicit Survivors(const Scenario& scenario) : scenario_(scenario) {
    Dict dict = prepared("whole");
    outcomes_.push_back(content_of(dict));
    die_at_store(0);
    for (const Step& step : scenario.steps) {
      EXPECT_TRUE(step(dict));
      outcomes_.push_back(content_of(dict));
    }
    stores_ = stores_counted();
    expect_sound(dict);
  }

  std::uint64_t stores() const { return stores_; }

  // The writer dies at `store`.
  void run(std::uint64_t store) {
    const std::string name = "at" + std::to_string(store);
    SCOPED_TRACE(name + " of " + std::to_string(stores_));
    Dict dict = prepared(name);
    Copy copy(dict);
    copy.update();
    SharedNote<std::size_t> done;
    const int ended = in_child([&] { work(dict, store, &*done); });
    EXPECT_TRUE(ended == 0 || ended == -SIGKILL) << ended;
    const std::map<std::string, std::string> seen = what_readers_see(dict);
    expect_followed(copy, *done);
    const bool died_as_owner = dict.owner().number != 0;
    proceed(dict);
    const Content now = content_of(dict);
    copy.update();
    EXPECT_EQ(summary_of(copy.content()), summary_of(of_root(now)));
    expect_outcome(now, *done, seen);
    expect_sound(dict);
    // What a writer leaves that dies with a large value written and no lock taken, clean() finds.
    EXPECT_TRUE(died_as_owner || dict.clean());
    EXPECT_EQ(orphans_of(dict), "");
    reopen(&dict, name, now);
    EXPECT_TRUE(dict.unlink());
  }

 private:
  Dict prepared(const std::string& name) {
    Options options = scratch_.options(Create::always);
    options.buffer_size = scenario_.buffer_size;
    options.max_bytes = scenario_.max_bytes;
    Dict dict = scratch_.open(name, options);
    for (const Step& step : scenario_.before) EXPECT_TRUE(step(dict));
    return dict;
  }

  void work(Dict& dict, std::uint64_t store, std::size_t* done) const {
    die_at_store(store);
    for (const Step& step : scenario_.steps) {
      require(step(dict));
      ++*done;
    }
  }

  std::map<std::string, std::string> what_readers_see(const Dict& dict) const {
    std::map<std::string, std::string> seen;
    for (const Content& outcome : outcomes_) {
      for (const auto& item : outcome) {
        // Of a nested dict readers see the whole, or half of its end; they look at the keys of the root.
        if (item.first.find('/') != item.first.npos) continue;
        const Status status = dict.get(item.first, &seen[item.first]);
        EXPECT_TRUE(status || status.code() == Code::not_found || status.code() == Code::is_dict) << status.message();
        if (!status) seen[item.first] = status.code() == Code::is_dict ? nested_value : absent;
      }
    }
    return seen;
  }

  static Content of_root(Content content) {
    std::erase_if(content, [](const auto& item) { return item.first.find('/') != item.first.npos; });
    return content;
  }

  // A copy that follows while a change of the dead one stays half-done has each key as it was before or after.
  void expect_followed(Copy& copy, std::size_t done) const {
    copy.update();
    const auto items = [](const Content& content) {
      return std::map<std::string, std::string>(content.begin(), content.end());
    };
    const auto value_in = [](const std::map<std::string, std::string>& all, const std::string& key) {
      const auto found = all.find(key);
      return found == all.end() ? absent : found->second;
    };
    const auto now = items(copy.content());
    const auto before = items(outcomes_[done]);
    const auto after = items(outcomes_[std::min(done + 1, outcomes_.size() - 1)]);
    for (const Content& outcome : outcomes_) {
      for (const auto& item : of_root(outcome)) {
        const std::string value = value_in(now, item.first);
        EXPECT_TRUE(value == value_in(before, item.first) || value == value_in(after, item.first)) << item.first;
      }
    }
  }

  static void proceed(Dict& dict) {
    const Stopwatch stopwatch;
    const Status status = dict.lock(at_once);
    EXPECT_LT(stopwatch.elapsed_ns(), proceeds_within_ns);
    EXPECT_TRUE(status) << static_cast<int>(status.code()) << " " << status.message();
    EXPECT_TRUE(dict.unlock());
  }

  void expect_outcome(const Content& now, std::size_t done, const std::map<std::string, std::string>& seen) const {
    const bool none = now == outcomes_[done];
    const bool whole = done + 1 < outcomes_.size() && now == outcomes_[done + 1];
    EXPECT_TRUE(none || whole) << "after " << done << " steps there are " << now.size() << " keys";
    if (!none || whole) return;
    const std::map<std::string, std::string> items(now.begin(), now.end());
    for (const auto& [key, value] : seen) {
      const auto found = items.find(key);
      EXPECT_EQ(found == items.end() ? absent : found->second, value) << "a reader saw more of " << key;
    }
  }

  // As a process that comes fresh; and it can go on.
  void reopen(Dict* dict, const std::string& name, Content expected) const {
    EXPECT_TRUE(dict->close());
    *dict = scratch_.open(name, Create::never);
    EXPECT_EQ(summary_of(content_of(*dict)), summary_of(expected));
    EXPECT_TRUE(dict->put("after", "it goes on"));
    expected.emplace_back("after", "it goes on");
    expect_content(*dict, expected);
  }

  static inline const std::string absent = "(absent)";

  Scratch scratch_;
  Scenario scenario_;
  std::vector<Content> outcomes_;  // after each step
  std::uint64_t stores_ = 0;
};

}  // namespace

void kill_among_survivors(const Scenario& scenario) {
  Survivors survivors(scenario);
  const std::uint64_t stride = survivors.stores() / deaths_max() + 1;
  for (std::uint64_t store = 1; store <= survivors.stores() && !testing::Test::HasFailure(); store += stride) {
    survivors.run(store);
  }
}

}  // namespace ultradict::test
