// SPDX-License-Identifier: Apache-2.0
// Nested dicts whose shared words lie: every operation ends, with an error or without, and touches nothing that is not
// its own.
#include <gtest/gtest.h>

#include "base/shared_atomic.h"
#include "store/dict_header.h"
#include "support/child.h"
#include "support/content.h"
#include "support/model.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

// The words of the entries; those of a number that is none count as the last one's.
Word& entry_word(const ControlView& control, Word number, Word word) {
  auto* base = const_cast<char*>(reinterpret_cast<const char*>(control.operator->()));
  return reinterpret_cast<Word*>(base + control->identity.entries_offset)[4 * number + word];
}

Dict made_in(Dict& dict, const std::string& key) {
  Dict child;
  require(dict.put_new_child(key, &child));
  return child;
}

// Dicts in dicts, one of them under two keys, with a few keys each.
void build(Dict& dict) {
  for (const char* outer : {"a", "b"}) {
    Dict child = made_in(dict, outer);
    for (const char* inner : {"c", "d"}) {
      Dict grandchild = made_in(child, inner);
      require(grandchild.put("x", "1"));
      require(grandchild.put(Key{"y", {}, true}, "2", nullptr));
      require(child.put_child(Key{"again"}, grandchild));
    }
  }
}

Status use(Dict& dict, const std::string& key, Random& random) {
  std::string value;
  switch (random.below(6)) {
    case 0:
      return dict.get(key, &value);
    case 1:
      return dict.put(key, "value");
    case 2:
      return dict.erase(key);
    case 3:
      return dict.clear();
    case 4: {
      Cursor cursor(dict);
      Sighting seen;
      Buffer buffer;
      Record record;
      Status status;
      for (int steps = 0; steps < 1000 && status; ++steps) status = cursor.next(&seen, &buffer, &record);
      return status;
    }
    default: {
      Dict child;
      return dict.put_new_child(key, &child);
    }
  }
}

void use_all(Dict& dict, Random& random) {
  std::vector<Dict> handles(7);
  (void)dict.open_child("a", &handles[0]);
  (void)dict.open_child("b", &handles[1]);
  (void)handles[0].open_child("c", &handles[2]);
  (void)handles[0].open_child("d", &handles[3]);
  (void)handles[1].open_child("c", &handles[4]);
  (void)handles[1].open_child("again", &handles[5]);
  (void)dict.check();
  (void)handles[2].put_child(Key{"up"}, handles[0]);
  (void)handles[2].put_child(Key{"aside"}, handles[4]);
  for (int i = 0; i < 40; ++i) {
    Dict& at = random.below(4) == 0 ? dict : handles[random.below(6)];
    (void)use(at, std::string(1, static_cast<char>('a' + random.below(4))), random);
  }
}

// A value that looks right more often than not.
Word harmful(Random& random, Word entries) {
  const Word near = random.below(entries + 2);
  switch (random.below(6)) {
    case 0:
      return near;
    case 1:
      return Links::of(near, random.below(entries + 2)).word;
    case 2:
      return HeaderMark::mark | near;
    case 3:
      return HeaderMark::of(random.below(3), random.below(2) != 0, near).word;
    case 4:
      return HeaderCounts::of(0xffffffff, random.below(3)).word;
    default:
      return random.below(~Word{0});
  }
}

TEST(NestedDamage, E4_E6_E7_WhateverItsWordsSayOperationsEnd) {
  if (forks_are_slow()) GTEST_SKIP() << "hundreds of forks";
  const std::uint64_t rounds = is_sanitized() ? 150 : 400;
  for (std::uint64_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    const Scratch scratch;
    EXPECT_EQ(in_child([&] {
                Dict dict = scratch.open();
                build(dict);
                Random random(round + 1);
                {
                  const ControlView control(dict);
                  const Word used = control->state.entries_used;
                  auto& state = const_cast<State&>(control->state);
                  for (Word harm = 0; harm <= random.below(4); ++harm) {
                    shared::store(entry_word(control, 1 + random.below(used), random.below(4)), harmful(random, used));
                  }
                  Word* const lists[] = {&state.loose, &state.doomed, &state.emptying, &state.free_entry};
                  if (random.below(3) == 0) shared::store(*lists[random.below(4)], random.below(used + 2));
                  if (random.below(3) == 0) shared::store(state.repair, 1);
                }
                use_all(dict, random);
              }),
              0)
        << "round " << round;
  }
}

// The search for a cycle is the one walk that a lying count could make as long as it says.
TEST(NestedDamage, E6_ChainThatLeadsBackToItsBeginEnds) {
  const Scratch scratch;
  Dict dict = scratch.open();
  build(dict);
  Dict a;
  Dict b;
  ASSERT_TRUE(dict.open_child("a", &a));
  ASSERT_TRUE(dict.open_child("b", &b));
  {
    const ControlView control(dict);
    const Word header = a.child_id().number;
    const Word first = Links{entry_word(control, header, 3)}.previous();
    shared::store(entry_word(control, first, 3), Links::of(0, first).word);
    shared::store(entry_word(control, header, 1), HeaderCounts::of(0xffffffff, 1).word);
  }
  EXPECT_EQ(b.put_child(Key{"a"}, a).code(), Code::damaged);
}

}  // namespace
}  // namespace ultradict::test
