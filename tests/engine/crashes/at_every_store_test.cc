// SPDX-License-Identifier: Apache-2.0
// A writer dies after each of its stores to shared memory, one run for each. The next owner of the lock must find every
// acknowledged change, the unacknowledged one wholly there or wholly not (and there, if a reader has seen it), a sound
// dict, and no file that nobody names.
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
namespace {

using Step = std::function<Status(Dict&)>;

struct Scenario {
  std::vector<Step> before;  // brings the dict into the state of interest
  std::vector<Step> steps;   // one of which the writer does not survive
  std::uint64_t buffer_size = 10'000;
};

// Deaths of one scenario; beyond that only every n-th store is tried.
const std::uint64_t deaths_max = is_sanitized() ? 50 : 250;
constexpr Wait at_once{0};  // asks at once whether the owner lives; who waits would do so after some milliseconds

Step put(const std::string& key, const std::string& value) {
  return [=](Dict& dict) { return dict.put(key, value); };
}

Step erase(const std::string& key) {
  return [=](Dict& dict) { return dict.erase(key); };
}

Step put_all(const Content& content) {
  return [=](Dict& dict) {
    std::vector<Item> items;
    for (const auto& [key, value] : content) items.push_back(Item{Key{key}, value});
    return dict.put_all(items);
  };
}

Step clear() {
  return [](Dict& dict) { return dict.clear(); };
}

Step clean() {
  return [](Dict& dict) { return dict.clean(); };
}

// A nested dict with these items, whole at once; in the dict at the path, "" for the root.
Step put_nested(const std::string& path, const std::string& key, const Content& content) {
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

Step in_nested(const std::string& key, const Step& step) {
  return [=](Dict& dict) {
    Dict child;
    require(dict.open_child(key, &child));
    return step(child);
  };
}

Step link(const std::string& from, const std::string& to) {
  return [=](Dict& dict) {
    Dict child;
    require(dict.open_child(from, &child));
    return dict.put_child(Key{to}, child);
  };
}

// One batch: overwrites `victim`, the only key of a nested dict, refers to that one by `key`, and adds a new one.
Step put_all_nested(const std::string& victim, const std::string& key, const std::string& new_key) {
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

std::string blob(char letter) { return std::string(blob_size_min + 100, letter); }

std::vector<Step> puts(int from, int to, std::size_t size = 4) {
  std::vector<Step> steps;
  for (int i = from; i < to; ++i) steps.push_back(put("k" + std::to_string(i), std::string(size, 'v')));
  return steps;
}

std::vector<Step> operator+(std::vector<Step> left, const std::vector<Step>& right) {
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

void die_everywhere(const Scenario& scenario) {
  if (forks_are_slow()) GTEST_SKIP() << "thousands of forks";
  Crash crash(scenario);
  for (std::uint64_t store = 1; store <= crash.stores() && !testing::Test::HasFailure(); store += crash.stride()) {
    crash.run(store);
  }
}

TEST(Crash, InsertingAKey) { die_everywhere({puts(0, 3), {put("new", "value"), put("another", "")}}); }

TEST(Crash, InsertingTheFirstKey) { die_everywhere({{}, {put("new", "value")}}); }

TEST(Crash, InsertingIntoTheEntryOfADeletedKey) {
  die_everywhere({puts(0, 3) + std::vector<Step>{erase("k1")}, {put("new", "value")}});
}

TEST(Crash, Overwriting) { die_everywhere({puts(0, 3), {put("k1", "w"), put("k1", std::string(200, 'x'))}}); }

TEST(Crash, OverwritingWithABlob) {
  die_everywhere({puts(0, 3), {put("k1", blob('a')), put("k1", blob('b')), put("k1", "small again")}});
}

TEST(Crash, InsertingABlob) { die_everywhere({puts(0, 2), {put("new", blob('a'))}}); }

TEST(Crash, Erasing) { die_everywhere({puts(0, 4), {erase("k0"), erase("k2"), erase("k3"), erase("k1")}}); }

TEST(Crash, ErasingABlob) { die_everywhere({{put("b", blob('a')), put("c", "d")}, {erase("b")}}); }

TEST(Crash, PuttingManyKeysAtOnce) {
  die_everywhere({puts(0, 3) + std::vector<Step>{erase("k0")},
                  {put_all({{"k1", "overwritten"}, {"new", "inserted"}, {"k2", blob('a')}, {"newer", "as well"}})}});
}

TEST(Crash, PuttingManyBlobsAtOnce) {
  die_everywhere({{put("a", blob('a')), put("b", "small")},
                  {put_all({{"a", blob('b')}, {"b", blob('c')}, {"c", blob('d')}}), put_all({{"c", "small"}})}});
}

TEST(Crash, PuttingManyKeysAtOnceOverSeveralSegments) {
  Content content;
  for (int i = 0; i < 6; ++i) content.emplace_back("new" + std::to_string(i), std::string(1500, 'n'));
  content.emplace_back("k1", "overwritten");
  die_everywhere({puts(0, 3, 500), {put_all(content)}, 0});
}

TEST(Crash, PuttingManyKeysAtOnceWhileTheTableGrows) {
  Content content;
  for (int i = 0; i < 30; ++i) content.emplace_back("new" + std::to_string(i), "n");
  die_everywhere({puts(0, 33), {put_all(content), erase("k7"), put_all({{"k8", "w"}, {"last", "x"}})}});
}

TEST(Crash, Clearing) { die_everywhere({puts(0, 5), {clear(), put("k1", "anew")}}); }

TEST(Crash, ClearingALargeTableWithBlobs) {
  die_everywhere({puts(0, 150, 100) + std::vector<Step>{put("b", blob('a'))}, {clear(), put("k1", "anew")}});
}

TEST(Crash, ClearingWhileTheTableGrows) { die_everywhere({puts(0, 33), {clear(), put("k1", "anew")}}); }

const Content family = {{"x", "1"}, {"y", blob('y')}, {"z", "3"}};

TEST(Crash, PuttingANestedDict) {
  die_everywhere({puts(0, 2), {put_nested("", "n", {}), put_nested("", "m", family), put_nested("n", "deep", family)}});
}

TEST(Crash, OverwritingANestedDict) {
  die_everywhere({puts(0, 2) + std::vector<Step>{put_nested("", "n", family)},
                  {put_nested("", "n", {{"x", "new"}}), put("n", "plain"), put_nested("", "n", family)}});
}

TEST(Crash, WritingToANestedDict) {
  die_everywhere({{put("a", "b"), put_nested("", "n", family)},
                  {in_nested("n", put("x", "2")), in_nested("n", put("new", "3")), in_nested("n", erase("y")),
                   in_nested("n", put_all({{"z", "4"}, {"newer", "5"}}))}});
}

TEST(Crash, ErasingANestedDictWithNestedDicts) {
  die_everywhere({{put_nested("", "n", family), put_nested("n", "m", family), put_nested("n", "o", {})},
                  {erase("n"), put("new", "value")}});
}

TEST(Crash, ErasingOneOfTwoLinksAndTheOther) {
  die_everywhere({{put_nested("", "n", family), link("n", "m")}, {erase("n"), erase("m")}});
}

TEST(Crash, MovingANestedDictInABatch) {
  die_everywhere({puts(0, 2) + std::vector<Step>{put_nested("", "n", family)},
                  {put_all_nested("n", "moved", "new"), erase("moved")}});
}

TEST(Crash, ClearingTheRootOfNestedDicts) {
  die_everywhere({{put_nested("", "n", family), put_nested("n", "m", family)}, {clear(), put_nested("", "n", family)}});
}

TEST(Crash, ClearingANestedDict) {
  die_everywhere({{put_nested("", "n", family), put_nested("n", "m", family)}, {in_nested("n", clear())}});
}

TEST(Crash, GrowingTheTable) { die_everywhere({puts(0, 31), puts(31, 42)}); }

TEST(Crash, GrowingTheTableWhileKeysAreErased) {
  die_everywhere({puts(0, 33), puts(33, 35) + std::vector<Step>{erase("k1"), erase("k34")} + puts(40, 45)});
}

TEST(Crash, GrowingTheTableOnceMore) { die_everywhere({puts(0, 68), puts(68, 90)}); }

TEST(Crash, GrowingTheLog) { die_everywhere({puts(0, 4, 1500), puts(4, 9, 700), 0}); }

TEST(Crash, Cleaning) {
  die_everywhere({puts(0, 9, 600) + puts(0, 9, 300) + std::vector<Step>{erase("k3"), erase("k4")}, {clean()}, 0});
}

TEST(Crash, DumpingTwice) {
  const Step dump = [](Dict& dict) { return dict.dump(); };
  die_everywhere({puts(0, 12, 900) + puts(4, 8, 100), {dump, put("k1", "x"), dump}, 0});
}

TEST(Crash, WritesThatPayForCleaning) {
  std::vector<Step> before = puts(0, 8, 800);
  for (int i = 0; i < 60; ++i) before = before + puts(0, 6, 800 + i % 2);
  for (int i = 0; i < 60; ++i) before = before + puts(0, 5, 800 + i % 2);
  die_everywhere({before, puts(0, 3, 300), 0});
}

// The second owner dies in its recovery, at each of its stores, after a first that died at some of its own.
void die_twice(const Scenario& scenario, std::uint64_t first_stride) {
  if (forks_are_slow()) GTEST_SKIP() << "thousands of forks";
  Crash crash(scenario);
  const std::uint64_t stride = first_stride * (is_sanitized() ? 5 : 1);
  for (std::uint64_t store = 1; store <= crash.stores(); store += stride) {
    for (std::uint64_t second = 1; !testing::Test::HasFailure() && crash.run(store, second); second += 1 + second / 8) {
    }
  }
}

TEST(Crash, TheSecondOwnerDiesInItsRecoveryOfAnInsertion) { die_twice({puts(0, 3), {put("new", "value")}}, 9); }

TEST(Crash, TheSecondOwnerDiesInItsRecoveryOfManyKeys) {
  die_twice({puts(0, 33), {put_all({{"k1", "w"}, {"new", "n"}, {"k2", blob('a')}, {"newer", blob('b')}})}}, 23);
}

TEST(Crash, TheSecondOwnerDiesInItsRecoveryOfANestedDictsEnd) {
  die_twice({{put_nested("", "n", family), put_nested("n", "m", family)}, {erase("n")}}, 11);
}

TEST(Crash, TheSecondOwnerDiesInItsRecoveryOfNestedDictsInABatch) {
  die_twice({{put_nested("", "n", family)}, {put_all_nested("n", "moved", "new")}}, 11);
}

TEST(Crash, TheSecondOwnerDiesInItsRecoveryOfAClear) {
  die_twice({puts(0, 60, 200) + std::vector<Step>{put("b", blob('a'))}, {clear()}}, 17);
}

}  // namespace
}  // namespace ultradict::test
