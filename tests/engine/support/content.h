// SPDX-License-Identifier: Apache-2.0
// What a dict holds, as a test compares it: the items in order, the verdict of check(), and the files that belong to
// it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "layout.h"
#include "ultradict/dict.h"

namespace ultradict::test {

using Content = std::vector<std::pair<std::string, std::string>>;

// A nested dict is the item "{}", and then its own items, under "<its key>/<their key>". Only keys that begin with
// `prefix` are looked at: others may be changed by others meanwhile.
Content content_of(const Dict& dict, const std::string& prefix = "");
inline const std::string nested_value = "{}";
std::vector<std::string> keys_of(const Dict& dict, Cursor::Direction direction = Cursor::Direction::forward);
// The value, or what get() said if there is none; through nested dicts by a path of keys, "a/b".
std::string value_of(const Dict& dict, const std::string& key);

// Short enough to be read in a failure, different if the contents are.
std::string summary_of(const std::string& value);
std::string summary_of(const Content& content);
std::uint64_t hash_of(const Content& content);

// "" or the broken invariants, one per line.
std::string unsoundness_of(const Dict& dict);
// Files in the dict's directory that neither its control nor a live blob names; "" if there are none.
std::string orphans_of(const Dict& dict);

void expect_sound(const Dict& dict);
// The same in every way: content, order, count, each key by look-up, soundness.
void expect_content(const Dict& dict, const Content& expected);

std::string directory_of(const Dict& dict);

// Reads the words of a dict behind the engine's back.
class ControlView {
 public:
  explicit ControlView(const Dict& dict);
  ~ControlView();
  ControlView(const ControlView&) = delete;
  ControlView& operator=(const ControlView&) = delete;
  Control* operator->() const { return control_; }

 private:
  Control* control_;
  unsigned long size_ = 0;
};

inline std::string key(std::uint64_t number) { return "k" + std::to_string(number); }
// A value that says whose it is, and proves that it is whole: any two mixed are neither.
std::string marked_value(const std::string& key, std::uint64_t number, std::size_t size);
bool is_marked(const std::string& key, Bytes value, std::uint64_t* number = nullptr);

// The same numbers in every run, for every seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 1) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t word = state_;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9ULL;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebULL;
    return word ^ (word >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace ultradict::test
