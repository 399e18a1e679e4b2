// SPDX-License-Identifier: Apache-2.0
// What a programme of operations holds while the dicts change: handles of them, and what it saw of a key.
#pragma once

#include <memory>
#include <string>

#include "harness/input.h"
#include "harness/tree.h"
#include "support/copy.h"
#include "ultradict/dict.h"

namespace ultradict::fuzz {

constexpr std::size_t handles_max = 8;

struct Handle {
  Dict dict;
  std::size_t root = 0;                   // which of the two dicts
  Tree::Id node = 0;                      // of its tree
  std::unique_ptr<test::Copy> copy = {};  // follows the dict from when it was first asked to
};

// What was seen of a key once.
struct Kept {
  bool is_set = false;
  std::string key;
  Tree::Id node = 0;
  std::uint64_t born = 0;
  Sighting seen;
};

// What was just written is the value; it may have been moved by the cleaning that the write paid for.
inline void expect_newest(const Dict& dict, Sighting seen) {
  Buffer buffer;
  Record record;
  bool moved = seen.current();
  const Status status = moved ? Status() : dict.reread(&seen, &buffer, &record, &moved);
  expect(status && moved, "what was just written is the value");
}

}  // namespace ultradict::fuzz
