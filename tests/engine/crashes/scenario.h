// SPDX-License-Identifier: Apache-2.0
// Scenario: what a writer does to one dict that it does not survive, as a list of steps.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/child.h"
#include "support/content.h"
#include "ultradict/dict.h"

namespace ultradict::test {

using Step = std::function<Status(Dict&)>;

struct Scenario {
  std::vector<Step> before;  // brings the dict into the state of interest
  std::vector<Step> steps;   // one of which the writer does not survive
  std::uint64_t buffer_size = 10'000;
  std::uint64_t max_bytes = 0;
  std::uint64_t images_max = 1000;  // of recoveries, in the short run; 0: none
};

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

// Every moment of the steps, and of every recovery, by images; and some by a process that is killed while others live.
void die_everywhere(const Scenario& scenario);

}  // namespace ultradict::test
