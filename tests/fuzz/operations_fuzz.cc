// SPDX-License-Identifier: Apache-2.0
// Operations: the input is a programme for two dicts, their nested dicts and several handles; what each step says is
// compared with a model, and at the end everything is.
#include <vector>

#include "harness/compare.h"
#include "harness/held.h"
#include "harness/image.h"
#include "harness/input.h"
#include "harness/tree.h"

namespace ultradict::fuzz {
namespace {

constexpr std::size_t value_sizes[] = {0,   1,    7,    8,    31,   100,   200,    500,
                                       900, 1500, 3000, 4100, 9000, 33000, 32'768, 70'000};

class Programme {
 public:
  Programme(const Image* images, Input input) : images_(images), input_(input) { open(&handles_[0], 0); }

  void run() {
    while (!input_.at_end()) step();
    for (std::size_t root = 0; root < 2; ++root) {
      if (handles_[root].dict.is_open()) compare(root);
    }
  }

 private:
  void open(Handle* handle, std::size_t root) {
    if (!is_restored_[root]) images_[root].restore();
    is_restored_[root] = true;
    expect(static_cast<bool>(Dict::open(images_[root].name(), options(Create::never), &handle->dict)), "it opens");
    *handle = Handle{std::move(handle->dict), root};
  }
  Handle& handle() { return handles_[current_]; }
  Tree& tree() { return trees_[handle().root]; }
  Tree::Node* node() { return tree().find(handle().node); }
  std::string key() { return "k" + std::to_string(input_.byte()); }
  std::string value() {
    const std::uint8_t how = input_.byte();
    return std::string(value_sizes[how % 16], static_cast<char>('a' + ++written_ % 26));
  }

  // Nothing can be done through the handle of a dict that is gone, and everything says so.
  bool is_gone(const Status& status) {
    if (node()) return false;
    expect(status.code() == Code::dict_gone, "a handle of a dict that is gone says so");
    return true;
  }
  void expect_ok(const Status& status) { expect(static_cast<bool>(status), status.message().c_str()); }

  void step() {
    const std::uint8_t operation = input_.byte();
    switch (operation % 24) {
      case 0:
      case 1:
      case 2:
        return put();
      case 3:
        return try_put();
      case 4:
      case 5:
        return erase();
      case 6:
        return operation / 24 % 2 == 0 ? get() : see_again();
      case 7:
        return put_many();
      case 8:
        return put_some();
      case 9:
        return erase_many();
      case 10:
        return clear();
      case 11:
        return expect_ok(handle().dict.clean());
      case 12:
        return expect_ok(handle().dict.dump());
      case 13:
        return make_child();
      case 14:
        return link_child();
      case 15:
        return open_child();
      case 16:
        return reopen();
      case 17:
        return overwrite_seen();
      case 18:
        return erase_seen();
      case 19:
        return put_staged();
      case 20:
        return follow();
      case 21:
        return compare(handle().root);
      case 22:
        return lock_or_unlock();
      default:
        return go_to(operation / 24 % handles_max);
    }
  }

  // The second dict is opened when the programme first goes there.
  void go_to(std::size_t number) {
    current_ = handles_[number].dict.is_open() ? number : number % 2;
    if (!handle().dict.is_open()) open(&handle(), current_);
  }

  void put() {
    const std::string k = key();
    const std::string v = value();
    const Status status = handle().dict.put(k, v);
    if (is_gone(status)) return;
    expect_ok(status);
    tree().put(handle().node, k, v);
  }

  void try_put() {
    const std::string k = key();
    const std::string v = value();
    Sighting seen;
    const Status status = handle().dict.try_put(Key{k}, v, &seen);
    if (v.size() > blob_size_min) return expect(status.code() == Code::invalid_argument, "a large value is not tried");
    if (status.code() == Code::lock_busy || is_gone(status)) return;
    expect_ok(status);
    expect_newest(handle().dict, seen);
    tree().put(handle().node, k, v);
  }

  void erase() {
    const std::string k = key();
    const Status status = handle().dict.erase(k);
    if (is_gone(status)) return;
    const bool was_there = tree().erase(handle().node, k);
    expect(status.code() == (was_there ? Code::ok : Code::not_found), "a key is erased that was there");
  }

  void get() {
    const std::string k = key();
    std::string found;
    const Status status = handle().dict.get(k, &found);
    if (is_gone(status)) return;
    const Tree::Item* item = node()->find(k);
    const Code expected = !item ? Code::not_found : item->child != 0 ? Code::is_dict : Code::ok;
    expect(status.code() == expected, "get finds what is there");
    if (expected == Code::ok) expect(found == item->value, "get returns the value");
    const Code contained = handle().dict.contains(k).code();
    expect(contained == (item ? Code::ok : Code::not_found), "contains finds what is there");
  }

  // In one call.
  void put_many() {
    std::vector<std::pair<std::string, std::string>> all;
    for (int i = input_.byte() % 12; i > 0; --i) {
      std::string k = key();
      all.emplace_back(std::move(k), value());
    }
    std::vector<Item> items;
    for (const auto& [k, v] : all) items.push_back({Key{k}, v});
    const Status status = handle().dict.put_all(items);
    if (all.empty() || is_gone(status)) return;
    expect_ok(status);
    for (const auto& [k, v] : all) tree().put(handle().node, k, v);
  }

  // Keys in a row, so that tables grow.
  void put_some() {
    const int first = input_.byte();
    const std::string v = value().substr(0, 1500);
    for (int i = first; i < first + 40; ++i) {
      const std::string k = "k" + std::to_string(i % 256);
      const Status status = handle().dict.put(k, v);
      if (is_gone(status)) return;
      expect_ok(status);
      tree().put(handle().node, k, v);
    }
  }

  void erase_many() {
    const int first = input_.byte();
    for (int i = first; i < first + 40; ++i) {
      const std::string k = "k" + std::to_string(i % 256);
      const Status status = handle().dict.erase(k);
      if (is_gone(status)) return;
      expect(status.code() == (tree().erase(handle().node, k) ? Code::ok : Code::not_found), "keys are erased");
    }
  }

  void clear() {
    const Status status = handle().dict.clear();
    if (is_gone(status)) return;
    expect_ok(status);
    tree().clear(handle().node);
  }

  Handle& free_handle() { return handles_[2 + input_.byte() % (handles_max - 2)]; }

  void make_child() {
    const std::string k = key();
    Dict made;
    const Status status = handle().dict.put_new_child(k, &made);
    if (is_gone(status)) return;
    expect_ok(status);
    const std::size_t root = handle().root;
    const Tree::Id node = tree().make_child(handle().node, k);
    Handle& kept = free_handle();
    if (&kept == &handle()) current_ = root;
    kept = Handle{std::move(made), root, node};
  }

  void link_child() {
    const std::string k = key();
    Handle& other = free_handle();
    if (!other.dict.is_open() || other.root != handle().root || other.node == 0) return;
    const Status status = handle().dict.put_child(Key{k}, other.dict);
    if (is_gone(status)) return;
    if (!tree().find(other.node)) return expect(status.code() == Code::dict_gone, "a dict that is gone has no link");
    const bool cycle = tree().reaches(other.node, handle().node);
    if (cycle) return expect(status.code() == Code::would_cycle, "no dict lies in itself");
    expect_ok(status);
    tree().link(handle().node, k, other.node);
  }

  void open_child() {
    const std::string k = key();
    Dict opened;
    const Status status = handle().dict.open_child(k, &opened);
    if (is_gone(status)) return;
    const Tree::Item* item = node()->find(k);
    const Code expected = !item ? Code::not_found : item->child == 0 ? Code::no_such_dict : Code::ok;
    expect(status.code() == expected, "a nested dict is opened where one is");
    if (expected != Code::ok) return;
    const std::size_t root = handle().root;
    const Tree::Id child = item->child;
    Handle& kept = free_handle();
    if (&kept == &handle()) current_ = root;
    kept = Handle{std::move(opened), root, child};
  }

  // All handles of one dict end, so that the next one attaches to its files.
  void reopen() {
    const std::size_t root = handle().root;
    for (Handle& each : handles_) {
      if (each.dict.is_open() && each.root == root) expect_ok(each.dict.close());
    }
    current_ = root;
    open(&handles_[root], root);
    locks_[root] = 0;
    kept_[root].is_set = false;
  }

  bool see(const std::string& k, Sighting* seen) {
    Record record;
    const Status status = handle().dict.find(k, seen, &buffer_, &record);
    if (is_gone(status)) return false;
    const Tree::Item* item = node()->find(k);
    expect(status.code() == (item ? Code::ok : Code::not_found), "find finds what is there");
    if (!item) return false;
    expect(seen->current(), "what was just seen is current");
    const std::size_t size = item->child != 0 ? sizeof(ChildValue) : item->value.size();
    expect(record.canonical == k && record.value_size == size, "the record is that of the key");
    if (item->child == 0 && !record.is_blob) expect(record.value == item->value, "the record has the value");
    return true;
  }

  // What was seen of a key is of that life of it alone, whatever was done since.
  void see_again() {
    Kept& kept = kept_[handle().root];
    if (!kept.is_set) {
      kept.key = key();
      kept.node = handle().node;
      kept.is_set = see(kept.key, &kept.seen);
      if (kept.is_set) kept.born = node()->find(kept.key)->born;
      return;
    }
    kept.is_set = false;
    if (!tree().find(kept.node)) return;  // the keys of a dict that is gone go bit by bit
    const Tree::Item* const item = tree().find(kept.node)->find(kept.key);
    Record record;
    bool moved = false;
    const Status status = handle().dict.reread(&kept.seen, &buffer_, &record, &moved);
    if (!item || item->born != kept.born) return expect(status.code() == Code::changed, "what was seen is gone");
    expect_ok(status);
    expect(record.canonical == kept.key, "the key is still that key");
    if (item->child == 0 && !record.is_blob) expect(record.value == item->value, "the value is read again");
    expect(kept.seen.current(), "what was just seen again is current");
  }

  void overwrite_seen() {
    const std::string k = key();
    const std::string v = value();
    Sighting seen;
    if (!see(k, &seen)) return;
    const Status status =
        v.size() <= blob_size_min ? handle().dict.try_put_at(&seen, v) : handle().dict.put_at(&seen, v);
    if (status.code() == Code::lock_busy) return;
    expect_ok(status);
    expect_newest(handle().dict, seen);
    tree().put(handle().node, k, v);
  }

  void erase_seen() {
    const std::string k = key();
    Sighting seen;
    if (!see(k, &seen)) return;
    expect_ok(handle().dict.erase_at(seen));
    expect(!seen.current(), "what was erased is not current");
    tree().erase(handle().node, k);
  }

  void put_staged() {
    const std::string k = key();
    const std::string v(40'000, static_cast<char>('A' + ++written_ % 26));
    StagedValue staged;
    const std::vector<Bytes> parts = {Bytes(v).substr(0, 10), Bytes(v).substr(10)};
    expect_ok(handle().dict.stage(parts, &staged));
    const Status status = handle().dict.put(Key{k}, &staged, nullptr);
    if (is_gone(status)) return;
    expect_ok(status);
    tree().put(handle().node, k, v);
    MappedValue mapped;
    expect_ok(handle().dict.map(k, &mapped));
    expect(mapped.is_intact() && mapped.bytes() == v, "a large value is mapped as it was written");
  }

  // A copy that follows the changes is what the dict is.
  void follow() {
    if (!handle().copy) handle().copy = std::make_unique<test::Copy>(handle().dict);
    std::size_t looked_at = 0;
    const Status status = handle().copy->try_update(&looked_at);
    if (is_gone(status)) return;
    expect_ok(status);
    expect(handle().copy->content() == content_of(*node()), "a copy that follows the changes is what the dict is");
  }

  void lock_or_unlock() {
    int& depth = locks_[handle().root];
    if (depth == 0 || input_.byte() % 2 == 0) {
      expect_ok(handle().dict.lock());
      ++depth;
    } else {
      expect_ok(handle().dict.unlock());
      --depth;
    }
  }

  void compare(std::size_t root) {
    const Dict& dict = handles_[root].dict;
    expect_same(dict, trees_[root]);
    expect(dict.check().sound(), "the dict is sound");
  }

  const Image* images_;
  Input input_;
  Handle handles_[handles_max];
  std::size_t current_ = 0;
  Tree trees_[2];
  Buffer buffer_;
  int locks_[2] = {};
  Kept kept_[2];
  bool is_restored_[2] = {};
  unsigned written_ = 0;
};

}  // namespace
}  // namespace ultradict::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using ultradict::fuzz::Image;
  static const auto* const images =
      new Image[2]{Image("one", ultradict::fuzz::options(ultradict::Create::always), [](ultradict::Dict&) {}),
                   Image("two", ultradict::fuzz::options(ultradict::Create::always), [](ultradict::Dict&) {})};
  ultradict::fuzz::Programme(images, ultradict::fuzz::Input(data, size)).run();
  ultradict::fuzz::expect_all_closed();
  return 0;
}
