// SPDX-License-Identifier: Apache-2.0
// Tree: what a dict with nested dicts should hold, by the simplest means.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ultradict::fuzz {

class Tree {
 public:
  using Id = std::uint64_t;  // of a dict; 0 = the root

  struct Item {
    std::string value;
    Id child = 0;  // not 0: the value is this dict
    std::uint64_t born = 0;
  };

  struct Node {
    std::map<std::string, Item> items;
    const Item* find(const std::string& key) const {
      const auto found = items.find(key);
      return found == items.end() ? nullptr : &found->second;
    }
    std::vector<std::pair<std::string, Item>> in_order() const {
      std::vector<std::pair<std::string, Item>> all(items.begin(), items.end());
      std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second.born < b.second.born; });
      return all;
    }
  };

  Tree() { nodes_[0]; }

  // Null: it is gone.
  const Node* find(Id id) const {
    const auto found = nodes_.find(id);
    return found == nodes_.end() ? nullptr : &found->second;
  }
  Node* find(Id id) { return const_cast<Node*>(std::as_const(*this).find(id)); }

  void put(Id id, const std::string& key, const std::string& value) { set(id, key, value, 0); }
  void link(Id id, const std::string& key, Id child) {
    ++links_[child];
    set(id, key, {}, child);
  }
  Id make_child(Id id, const std::string& key) {
    const Id made = ++made_;
    nodes_[made];
    link(id, key, made);
    return made;
  }
  bool erase(Id id, const std::string& key) {
    Node& node = nodes_.at(id);
    const auto found = node.items.find(key);
    if (found == node.items.end()) return false;
    const Id child = found->second.child;
    node.items.erase(found);
    drop_link(child);
    return true;
  }
  void clear(Id id) {
    std::map<std::string, Item> items = std::move(nodes_.at(id).items);
    nodes_.at(id).items.clear();
    for (const auto& [key, item] : items) drop_link(item.child);
  }
  // Whether `wanted` is `from` or lies in it.
  bool reaches(Id from, Id wanted) const {
    if (from == wanted) return true;
    const auto& items = nodes_.at(from).items;
    return std::any_of(items.begin(), items.end(),
                       [&](const auto& item) { return item.second.child != 0 && reaches(item.second.child, wanted); });
  }

 private:
  void set(Id id, const std::string& key, const std::string& value, Id child) {
    const auto [place, is_new] = nodes_.at(id).items.try_emplace(key);
    if (is_new) place->second.born = ++born_;
    const Id before = place->second.child;
    place->second.value = value;
    place->second.child = child;
    drop_link(before);
  }
  void drop_link(Id child) {
    if (child == 0 || --links_[child] != 0) return;
    const Node gone = std::move(nodes_.at(child));
    nodes_.erase(child);
    for (const auto& [key, item] : gone.items) drop_link(item.child);
  }

  std::map<Id, Node> nodes_;
  std::map<Id, int> links_;
  Id made_ = 0;
  std::uint64_t born_ = 0;
};

}  // namespace ultradict::fuzz
