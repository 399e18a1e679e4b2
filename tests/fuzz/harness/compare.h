// SPDX-License-Identifier: Apache-2.0
// What is there is what the tree says should be.
#pragma once

#include <string>

#include "harness/input.h"
#include "harness/tree.h"
#include "support/content.h"
#include "ultradict/dict.h"

namespace ultradict::fuzz {

// As a copy of one dict of the tree has it.
inline test::Content content_of(const Tree::Node& node) {
  test::Content content;
  for (const auto& [key, item] : node.in_order()) {
    content.emplace_back(key, item.child != 0 ? test::nested_value : item.value);
  }
  return content;
}

inline void expect_value(const Dict& dict, const Record& record, const Tree::Item& item) {
  if (!record.is_blob) return expect(record.value == item.value, "a value is as it was written");
  std::string large;
  expect(dict.get(record.canonical, &large) && large == item.value, "a large value is as it was written");
}

// In order, through all nested dicts.
inline void expect_same(const Dict& dict, const Tree& tree, Tree::Id id = 0) {
  const auto expected = tree.find(id)->in_order();
  Cursor cursor(dict);
  Sighting seen;
  Buffer buffer;
  Record record;
  std::size_t at = 0;
  Status status;
  for (; (status = cursor.next(&seen, &buffer, &record)); ++at) {
    expect(at < expected.size() && record.canonical == expected[at].first, "the keys are in order");
    const Tree::Item& item = expected[at].second;
    expect((record.child.number != 0) == (item.child != 0), "a nested dict is where one should be");
    if (item.child == 0) {
      expect_value(dict, record, item);
      continue;
    }
    Dict child;
    expect(static_cast<bool>(dict.open_child(record.child, &child)), "a nested dict opens");
    expect_same(child, tree, item.child);
  }
  expect(status.code() == Code::not_found && at == expected.size(), "all keys are there");
  expect(dict.count() == expected.size(), "the count is right");
}

}  // namespace ultradict::fuzz
