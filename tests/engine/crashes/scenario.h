// SPDX-License-Identifier: Apache-2.0
// Crash: a scenario whose writer dies after each of its stores to shared memory, one run for each. The next owner of
// the lock must find every acknowledged change, the unacknowledged one wholly there or wholly not (and there, if a
// reader has seen it), a sound dict, and no file that nobody names.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "crashes/crash_point.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"
#include "support/stopwatch.h"

namespace ultradict::test {

using Step = std::function<Status(Dict&)>;

struct Scenario {
  std::vector<Step> before;  // brings the dict into the state of interest
  std::vector<Step> steps;   // one of which the writer does not survive
  std::uint64_t buffer_size = 10'000;
};

// Deaths of one scenario; beyond that only every n-th store is tried.
inline const std::uint64_t deaths_max = is_sanitized() ? 50 : 250;
// Asks at once whether the owner lives; who waits would do so after some milliseconds.
inline constexpr Wait at_once{0};

inline Step put(const std::string& key, const std::string& value) {
  return [=](Dict& dict) { return dict.put(key, value); };
}

// Prepared as an insertion, whether it is one or not. Under the lock: a forked child does not get it the quick way.
inline Step try_put(const std::string& key, const std::string& value) {
  return [=](Dict& dict) {
    const LockGuard guard(dict);
    return dict.try_put(Key{key}, value, nullptr);
  };
}

inline Step erase(const std::string& key) {
  return [=](Dict& dict) { return dict.erase(key); };
}

inline Step put_all(const Content& content) {
  return [=](Dict& dict) {
    std::vector<Item> items;
    for (const auto& [key, value] : content) items.push_back(Item{Key{key}, value});
    return dict.put_all(items);
  };
}

inline Step clear() {
  return [](Dict& dict) { return dict.clear(); };
}

inline Step clean() {
  return [](Dict& dict) { return dict.clean(); };
}

// A nested dict with these items, whole at once; in the dict at the path, "" for the root.
inline Step put_nested(const std::string& path, const std::string& key, const Content& content) {
  return [=](Dict& root) {
    Dict opened;
    if (!path.empty()) require(root.open_child(path, &opened));
    Dict& dict = path.empty() ? root : opened;
    ChildBuilder builder(dict);
    require(builder.status());
    Dict child;
    require(builder.make(&child));
    for (const auto& [inner, value] : content) require(child.put(inner, value));
    return dict.put_child(Key{key}, child);
  };
}

inline Step in_nested(const std::string& key, const Step& step) {
  return [=](Dict& dict) {
    Dict child;
    require(dict.open_child(key, &child));
    return step(child);
  };
}

inline Step link(const std::string& from, const std::string& to) {
  return [=](Dict& dict) {
    Dict child;
    require(dict.open_child(from, &child));
    return dict.put_child(Key{to}, child);
  };
}

// One batch: overwrites `victim`, the only key of a nested dict, refers to that one by `key`, and adds a new one.
inline Step put_all_nested(const std::string& victim, const std::string& key, const std::string& new_key) {
  return [=](Dict& dict) {
    ChildBuilder builder(dict);
    require(builder.status());
    Dict moved;
    Dict made;
    require(dict.open_child(victim, &moved));
    require(builder.make(&made));
    require(made.put("in", "side"));
    const Item items[] = {
        {Key{victim}, "small"}, {Key{key}, {}, moved.child_id()}, {Key{new_key}, {}, made.child_id()}};
    return dict.put_all(items);
  };
}

// One batch for a dict that several keys refer to: some lose it, some get it, one keeps it.
inline Step put_all_links(const std::string& owner, const std::vector<std::string>& lost,
                          const std::vector<std::string>& got) {
  return [=](Dict& dict) {
    Dict child;
    require(dict.open_child(owner, &child));
    std::vector<Item> items;
    for (const std::string& key : lost) items.push_back({Key{key}, "no dict"});
    for (const std::string& key : got) items.push_back({Key{key}, {}, child.child_id()});
    return dict.put_all(items);
  };
}

inline std::string blob(char letter) { return std::string(blob_size_min + 100, letter); }

inline std::vector<Step> puts(int from, int to, std::size_t size = 4) {
  std::vector<Step> steps;
  for (int i = from; i < to; ++i) steps.push_back(put("k" + std::to_string(i), std::string(size, 'v')));
  return steps;
}

inline std::vector<Step> operator+(std::vector<Step> left, const std::vector<Step>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

class Crash {
 public:
  explicit Crash(const Scenario& scenario) : scenario_(scenario) {
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
  std::uint64_t stride() const { return stores_ / deaths_max + 1; }

  // The writer dies at `store`; if `second` is not 0, who comes after it dies at that store of its recovery.
  // Whether the second died.
  bool run(std::uint64_t store, std::uint64_t second = 0) {
    const std::string name = "at" + std::to_string(store) + "." + std::to_string(second);
    SCOPED_TRACE(name + " of " + std::to_string(stores_));
    Dict dict = prepared(name);
    SharedNote<std::size_t> done;
    EXPECT_LE(in_child([&] { work(dict, store, &*done); }), 0);
    bool second_died = false;
    if (second != 0) second_died = in_child([&] { follow(dict, second); }) != 0;
    const std::map<std::string, std::string> seen = second == 0 ? what_readers_see(dict) : decltype(seen)();
    proceed(dict);
    const Content now = content_of(dict);
    expect_outcome(now, *done, seen);
    expect_sound(dict);
    EXPECT_EQ(orphans_of(dict), "");
    reopen(&dict, name, now);
    EXPECT_TRUE(dict.unlink());
    return second_died;
  }

 private:
  Dict prepared(const std::string& name) {
    Options options = scratch_.options(Create::always);
    options.buffer_size = scenario_.buffer_size;
    Dict dict = scratch_.open(name, options);
    for (const Step& step : scenario_.before) EXPECT_TRUE(step(dict));
    return dict;
  }

  void work(Dict& dict, std::uint64_t store, std::size_t* done) const {
    (void)dict.try_lock();
    die_at_store(store);
    for (const Step& step : scenario_.steps) {
      require(step(dict));
      ++*done;
    }
  }

  static void follow(Dict& dict, std::uint64_t store) {
    (void)dict.has_lock();
    die_at_store(store);
    require(dict.lock(at_once));
    require(dict.unlock());
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

inline void die_everywhere(const Scenario& scenario) {
  if (forks_are_slow()) GTEST_SKIP() << "thousands of forks";
  Crash crash(scenario);
  for (std::uint64_t store = 1; store <= crash.stores() && !testing::Test::HasFailure(); store += crash.stride()) {
    crash.run(store);
  }
}

// The second owner dies in its recovery, at each of its stores, after a first that died at some of its own.
inline void die_twice(const Scenario& scenario, std::uint64_t first_stride) {
  if (forks_are_slow()) GTEST_SKIP() << "thousands of forks";
  Crash crash(scenario);
  const std::uint64_t stride = first_stride * (is_sanitized() ? 5 : 1);
  for (std::uint64_t store = 1; store <= crash.stores(); store += stride) {
    for (std::uint64_t second = 1; !testing::Test::HasFailure() && crash.run(store, second); second += 1 + second / 8) {
    }
  }
}

}  // namespace ultradict::test
