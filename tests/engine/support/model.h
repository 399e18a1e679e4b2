// SPDX-License-Identifier: Apache-2.0
// Model: what a dict should hold, by the simplest means; and random operations that are done to both.
#pragma once

#include <map>
#include <string>

#include "support/content.h"

namespace ultradict::test {

class Model {
 public:
  void put(const std::string& key, const std::string& value) {
    const auto [place, is_new] = items_.try_emplace(key, Item{born_, value});
    if (is_new) by_birth_[born_++] = key;
    place->second.value = value;
  }
  bool erase(const std::string& key) {
    const auto found = items_.find(key);
    if (found == items_.end()) return false;
    by_birth_.erase(found->second.born);
    items_.erase(found);
    return true;
  }
  void clear() {
    items_.clear();
    by_birth_.clear();
  }
  Content content() const {
    Content all;
    for (const auto& [born, key] : by_birth_) all.emplace_back(key, items_.at(key).value);
    return all;
  }
  const std::string* find(const std::string& key) const {
    const auto found = items_.find(key);
    return found == items_.end() ? nullptr : &found->second.value;
  }
  std::size_t count() const { return items_.size(); }

 private:
  struct Item {
    std::uint64_t born;
    std::string value;
  };
  std::map<std::string, Item> items_;
  std::map<std::uint64_t, std::string> by_birth_;
  std::uint64_t born_ = 0;
};

// Which random operations, on which keys.
struct Mix {
  std::uint64_t keys = 50;
  std::uint64_t value_size_max = 200;
  std::uint64_t blob_every = 40;    // 0: no blobs
  std::uint64_t clear_every = 300;  // 0: never
  std::uint64_t batch_every = 10;
  std::string prefix = "key";
};

// One operation, done to the dict and, once it was acknowledged, to the model. False with a test failure if the two
// disagree about its outcome.
bool random_operation(Random& random, const Mix& mix, Dict& dict, Model& model);

}  // namespace ultradict::test
