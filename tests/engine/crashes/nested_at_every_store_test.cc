// SPDX-License-Identifier: Apache-2.0
// A writer dies at every store of what it does to dicts in dicts.
#include <gtest/gtest.h>

#include "crashes/scenario.h"

namespace ultradict::test {
namespace {

const Content family = {{"x", "1"}, {"y", blob('y')}, {"z", "3"}};

TEST(Crash, A1_A2_PuttingANestedDict) {
  die_everywhere({puts(0, 2), {put_nested("", "n", {}), put_nested("", "m", family), put_nested("n", "deep", family)}});
}

TEST(Crash, A1_A2_OverwritingANestedDict) {
  die_everywhere({puts(0, 2) + std::vector<Step>{put_nested("", "n", family)},
                  {put_nested("", "n", {{"x", "new"}}), put("n", "plain"), put_nested("", "n", family)}});
}

TEST(Crash, A1_A2_WritingToANestedDict) {
  die_everywhere({{put("a", "b"), put_nested("", "n", family)},
                  {in_nested("n", put("x", "2")), in_nested("n", put("new", "3")), in_nested("n", erase("y")),
                   in_nested("n", put_all({{"z", "4"}, {"newer", "5"}}))}});
}

TEST(Crash, A1_A2_ErasingANestedDictWithNestedDicts) {
  die_everywhere({{put_nested("", "n", family), put_nested("n", "m", family), put_nested("n", "o", {})},
                  {erase("n"), put("new", "value")}});
}

TEST(Crash, A1_A2_ErasingOneOfTwoLinksAndTheOther) {
  die_everywhere({{put_nested("", "n", family), link("n", "m")}, {erase("n"), erase("m")}});
}

TEST(Crash, A1_A2_MovingANestedDictInABatch) {
  die_everywhere({puts(0, 2) + std::vector<Step>{put_nested("", "n", family)},
                  {put_all_nested("n", "moved", "new"), erase("moved")}});
}

TEST(Crash, A1_A2_LinksToOneDictComeAndGoInABatch) {
  die_everywhere(
      {puts(0, 2) + std::vector<Step>{put_nested("", "n", family), link("n", "m"), link("n", "o")},
       {put_all_links("n", {"n", "o"}, {"m", "p", "k0", "q"}), put_all_links("p", {"m", "p", "k0", "q"}, {})}});
}

TEST(Crash, A1_A2_PuttingNestedDictsWhileTheTableGrows) {
  std::vector<Step> steps;
  for (int i = 0; i < 4; ++i) steps.push_back(put_nested("", "n" + std::to_string(i), {{"x", "1"}, {"y", "2"}}));
  die_everywhere({puts(0, 29), steps + std::vector<Step>{erase("n1"), put("new", "value"), erase("n0")}});
}

TEST(Crash, A1_A2_ClearingTheRootOfNestedDicts) {
  die_everywhere({{put_nested("", "n", family), put_nested("n", "m", family)}, {clear(), put_nested("", "n", family)}});
}

TEST(Crash, A1_A2_ClearingANestedDict) {
  die_everywhere({{put_nested("", "n", family), put_nested("n", "m", family)}, {in_nested("n", clear())}});
}

}  // namespace
}  // namespace ultradict::test
