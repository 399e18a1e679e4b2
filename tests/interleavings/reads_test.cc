// SPDX-License-Identifier: Apache-2.0
// Readers that take no lock, in every order with a writer: what they answer, the key was at that moment.
#include <gtest/gtest.h>

#include "interleavings/world.h"
#include "store/glance.h"

namespace ultradict::test {
namespace {

constexpr Bounds in_short{2, 2};
constexpr Bounds in_full{4, 3};
constexpr Bounds long_in_short{1, 1};  // each word of a copy is a step

const auto two_keys = [](Dict& dict) {
  (void)dict.put("a", "a0");
  (void)dict.put("b", "b0");
};

// "a" lies first in its segment, where a record of another key comes when the segment is used again.
const auto dead_records = [](Dict& dict) {
  (void)dict.put("a", "a0");
  (void)dict.put("b", "b-");
  (void)dict.put("b", "b0");
};

// Too long for a glance, so that it is looked up with care.
std::string long_value(const std::string& mark) { return mark + std::string(glance_size, '.'); }

const auto dead_long_records = [](Dict& dict) {
  (void)dict.put("a", long_value("a0"));
  (void)dict.put("b", long_value("b-"));
  (void)dict.put("b", long_value("b0"));
};

bool moves_records(const Control& before, const Control& after) {
  return after.state.moved_records > before.state.moved_records;
}
bool uses_segment_again(const Control&, const Control& after) {
  return after.segments[0].first > 1 && after.segments[1].first > 1;
}
bool changes_table(const Control& before, const Control& after) {
  return after.state.table_number != before.state.table_number;
}
bool changes_slots(const Control& before, const Control& after) { return after.state.slots != before.state.slots; }

World::Script insert_anew(const std::string& value) {
  return [value](World& world) {
    world.erase("a");
    world.put("c", "c" + value);  // in the entry that "a" had
    world.put("a", value);
  };
}
World::Script clean_overwrite_clean(const std::string& value) {
  return [value](World& world) {
    world.clean();
    world.put("a", value);
    world.clean();
  };
}

const auto get_and_contains = [](World& world) {
  world.get("a");
  world.contains("a");
};
const auto get_twice = [](World& world) {
  world.get("a");
  world.get("a");
};

TEST(Interleavings, G1_ReadWhileOverwritten) {
  World::explore({"overwrite | get get",
                  in_short,
                  in_full,
                  two_keys,
                  {[](World& world) {
                     world.put("a", "a1");
                     world.put("a", "a2 is longer");
                   },
                   get_twice}});
}

TEST(Interleavings, G1_ReadWhileDeletedAndInsertedAnew) {
  World::explore(
      {"erase, other key, insert | get contains", in_short, in_full, two_keys, {insert_anew("a1"), get_and_contains}});
}

TEST(Interleavings, G1_ReadWhileTheEntryBecomesThatOfANestedDict) {
  World::explore({"erase, nest | contains, long",
                  {4, 0},
                  {4, 1},
                  dead_long_records,
                  {[](World& world) { world.contains("a"); },
                   [](World& world) {
                     world.erase("a");
                     world.nest("c");
                   }}});
}

TEST(Interleavings, G1_AbsentKeysStayAbsent) {
  World::explore({"insert, erase | get contains, of another",
                  in_short,
                  in_full,
                  two_keys,
                  {[](World& world) {
                     world.put("c", "c1");
                     world.erase("b");
                   },
                   [](World& world) {
                     world.get("d");
                     world.contains("c");
                     world.contains("b");
                   }}});
}

TEST(Interleavings, G3_ReadWhileMovedByCleaning) {
  World::explore({"clean | get get",
                  in_short,
                  in_full,
                  dead_records,
                  {[](World& world) { world.clean(); }, get_twice},
                  moves_records});
}

TEST(Interleavings, H1_ReadWhileItsSegmentIsUsedAgain) {
  World::explore({"clean, overwrite, clean | get",
                  in_short,
                  in_full,
                  dead_records,
                  {clean_overwrite_clean("a1"), [](World& world) { world.get("a"); }},
                  uses_segment_again});
}

TEST(Interleavings, H1_ReadOfALongValueWhileItsSegmentIsUsedAgain) {
  World::explore({"clean, overwrite, clean | get, long",
                  {1, 2},
                  in_full,
                  dead_long_records,
                  {clean_overwrite_clean(long_value("a1")), [](World& world) { world.get("a"); }},
                  uses_segment_again});
}

TEST(Interleavings, G1_ReadOfALongValueWhileDeletedAndInsertedAnew) {
  World::explore({"erase, other key, insert | get contains, long",
                  long_in_short,
                  in_full,
                  dead_long_records,
                  {insert_anew(long_value("a1")), get_and_contains}});
}

TEST(Interleavings, G3_RereadWhileItsEntryGoesToAnotherKey) {
  World::explore({"erase, other key | find reread",
                  in_short,
                  in_full,
                  two_keys,
                  {[](World& world) {
                     world.erase("a");
                     world.put("c", "c1");  // in the entry that "a" had
                   },
                   [](World& world) { world.reread("a", 2); }}});
}

TEST(Interleavings, G3_RereadWhileMovedAndOverwritten) {
  World::explore({"clean, overwrite | find reread",
                  in_short,
                  in_full,
                  dead_records,
                  {[](World& world) {
                     world.clean();
                     world.put("a", "a1");
                   },
                   [](World& world) { world.reread("a", 2); }},
                  moves_records});
}

TEST(Interleavings, G1_ReadWhileTheTableIsSwitched) {
  World::explore({"clear, insert | get contains",
                  in_short,
                  in_full,
                  two_keys,
                  {[](World& world) {
                     world.clear();
                     world.put("b", "b1");  // in the entry that "a" had
                     world.put("a", "a1");
                   },
                   [](World& world) {
                     world.get("a");
                     world.contains("b");
                   }},
                  changes_table});
}

// The second time the first of the two slot arrays is used again.
TEST(Interleavings, G1_ReadWhileTheTableIsSwitchedTwice) {
  World::explore({"clear, insert, clear, insert | get",
                  in_short,
                  {3, 3},
                  two_keys,
                  {[](World& world) {
                     world.clear();
                     world.put("a", "a1");
                     world.clear();
                     world.put("b", "b1");
                   },
                   [](World& world) { world.get("a"); }},
                  changes_table});
}

TEST(Interleavings, G1_ReadWhileTheSlotsGrow) {
  const auto growing = [](Dict& dict) {
    for (int i = 0; i < 36; ++i) (void)dict.put("k" + std::to_string(i), "v");
  };
  World::explore({"insert, which ends growth | get contains",
                  in_short,
                  in_full,
                  growing,
                  {[](World& world) { world.put("new", "n1"); },
                   [](World& world) {
                     world.get("k7");
                     world.contains("new");
                   }},
                  changes_slots});
}

TEST(Interleavings, G1_ReadWhileManyKeysAreWritten) {
  World::explore({"put_all | get get contains",
                  in_short,
                  in_full,
                  two_keys,
                  {[](World& world) {
                     world.put_all({{"a", "a1"}, {"c", "c1"}, {"d", "d1"}});
                   },
                   [](World& world) {
                     world.get("a");
                     world.get("c");
                     world.contains("d");
                   }}});
}

TEST(Interleavings, G1_ReadBesideTwoWriters) {
  World::explore({"overwrite | insert, erase | get get",
                  {1, 1},
                  {2, 2},
                  two_keys,
                  {[](World& world) { world.put("a", "a1"); },
                   [](World& world) {
                     world.put("c", "c1");
                     world.erase("b");
                   },
                   [](World& world) {
                     world.get("a");
                     world.get("b");
                   }}});
}

}  // namespace
}  // namespace ultradict::test
