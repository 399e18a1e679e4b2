// SPDX-License-Identifier: Apache-2.0
// Copy: a process's own copy of a dict that follows its changes; what Dict::changes is for, in a few lines.
#pragma once

#include <map>
#include <string>

#include "support/content.h"
#include "ultradict/dict.h"

namespace ultradict::test {

class Copy {
 public:
  explicit Copy(const Dict& dict) : dict_(dict) {}

  // How many entries were looked at; throws if something is wrong.
  std::size_t update();
  // The same, but says what is wrong.
  Status try_update(std::size_t* looked_at);
  Content content() const;
  std::size_t readings() const { return readings_; }  // of all that there is

 private:
  struct Item {
    std::string key;
    std::string value;
  };

  Status read_all();
  void read(Sighting seen);
  void forget(std::uint32_t entry);

  const Dict& dict_;
  Progress progress_;
  std::map<std::uint64_t, Item> items_;          // by birth: the order of the dict
  std::map<std::uint32_t, std::uint64_t> born_;  // by entry
  std::size_t readings_ = 0;
};

}  // namespace ultradict::test
