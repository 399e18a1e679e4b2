// SPDX-License-Identifier: Apache-2.0
// A writer dies at every store of what it does to the keys of one dict.
#include <gtest/gtest.h>

#include "crashes/scenario.h"

namespace ultradict::test {
namespace {

TEST(Crash, A1_A2_A5_InsertingAKey) { die_everywhere({puts(0, 3), {put("new", "value"), put("another", "")}}); }

TEST(Crash, A1_A2_InsertingTheFirstKey) { die_everywhere({{}, {put("new", "value")}}); }

TEST(Crash, A1_A2_InsertingIntoTheEntryOfADeletedKey) {
  die_everywhere({puts(0, 3) + std::vector<Step>{erase("k1")}, {put("new", "value")}});
}

TEST(Crash, A1_A2_A9_WritingTheQuickWayWhileTheTableGrows) {
  die_everywhere({puts(0, 33), {try_put("k1", "w"), try_put("k2", "x"), try_put("new", "n"), try_put("k1", "y")}});
}

TEST(Crash, A1_A2_A5_Overwriting) { die_everywhere({puts(0, 3), {put("k1", "w"), put("k1", std::string(200, 'x'))}}); }

TEST(Crash, A1_A2_A5_OverwritingWithABlob) {
  die_everywhere({puts(0, 3), {put("k1", blob('a')), put("k1", blob('b')), put("k1", "small again")}});
}

TEST(Crash, A1_A2_InsertingABlob) { die_everywhere({puts(0, 2), {put("new", blob('a'))}}); }

TEST(Crash, A1_A2_A5_Erasing) { die_everywhere({puts(0, 4), {erase("k0"), erase("k2"), erase("k3"), erase("k1")}}); }

TEST(Crash, A1_A2_ErasingABlob) { die_everywhere({{put("b", blob('a')), put("c", "d")}, {erase("b")}}); }

TEST(Crash, A1_A2_A5_PuttingManyKeysAtOnce) {
  die_everywhere({puts(0, 3) + std::vector<Step>{erase("k0")},
                  {put_all({{"k1", "overwritten"}, {"new", "inserted"}, {"k2", blob('a')}, {"newer", "as well"}})}});
}

TEST(Crash, A1_A2_PuttingManyBlobsAtOnce) {
  die_everywhere({{put("a", blob('a')), put("b", "small")},
                  {put_all({{"a", blob('b')}, {"b", blob('c')}, {"c", blob('d')}}), put_all({{"c", "small"}})}});
}

TEST(Crash, A1_A2_PuttingManyKeysAtOnceOverSeveralSegments) {
  Content content;
  for (int i = 0; i < 6; ++i) content.emplace_back("new" + std::to_string(i), std::string(1500, 'n'));
  content.emplace_back("k1", "overwritten");
  die_everywhere({puts(0, 3, 500), {put_all(content)}, 0});
}

TEST(Crash, A1_A2_A9_PuttingManyKeysAtOnceWhileTheTableGrows) {
  Content content;
  for (int i = 0; i < 30; ++i) content.emplace_back("new" + std::to_string(i), "n");
  die_everywhere({puts(0, 33), {put_all(content), erase("k7"), put_all({{"k8", "w"}, {"last", "x"}})}});
}

TEST(Crash, A1_A2_A9_Clearing) { die_everywhere({puts(0, 5), {clear(), put("k1", "anew")}}); }

TEST(Crash, A1_A2_A9_ClearingALargeTableWithBlobs) {
  die_everywhere({puts(0, 150, 100) + std::vector<Step>{put("b", blob('a'))}, {clear(), put("k1", "anew")}});
}

TEST(Crash, A1_A2_A9_ClearingWhileTheTableGrows) { die_everywhere({puts(0, 33), {clear(), put("k1", "anew")}}); }

TEST(Crash, A1_A2_A9_ErasingTheLastOfManyKeys) {
  std::vector<Step> before = puts(0, 2100);
  for (int i = 1; i < 2100; ++i) before.push_back(erase("k" + std::to_string(i)));
  die_everywhere({before, {erase("k0"), put("k1", "anew")}});
}

TEST(Crash, A1_A2_A9_GrowingTheTable) { die_everywhere({puts(0, 31), puts(31, 42)}); }

TEST(Crash, A1_A2_A9_GrowingTheTableWhileKeysAreErased) {
  die_everywhere({puts(0, 33), puts(33, 35) + std::vector<Step>{erase("k1"), erase("k34")} + puts(40, 45)});
}

TEST(Crash, A1_A2_A9_GrowingTheTableOnceMore) { die_everywhere({puts(0, 68), puts(68, 90)}); }

TEST(Crash, A1_A2_GrowingTheLog) { die_everywhere({puts(0, 4, 1500), puts(4, 9, 700), 0}); }

TEST(Crash, A1_A2_A9_H5_Cleaning) {
  die_everywhere({puts(0, 9, 600) + puts(0, 9, 300) + std::vector<Step>{erase("k3"), erase("k4")}, {clean()}, 0});
}

TEST(Crash, A1_A2_A9_DumpingTwice) {
  const Step dump = [](Dict& dict) { return dict.dump(); };
  die_everywhere({puts(0, 12, 900) + puts(4, 8, 100), {dump, put("k1", "x"), dump}, 0});
}

TEST(Crash, A1_A2_UnderABoundOfAllMemory) {
  Scenario scenario{puts(0, 4, 1500), {put("b", blob('a')), put("c", std::string(800, 'c')), erase("b"), clean()}};
  scenario.max_bytes = 512 * 1024;
  die_everywhere(scenario);
}

TEST(Crash, A1_A2_ManyBlobsUnderABoundOfAllMemory) {
  Scenario scenario{{put("a", blob('a'))}, {put_all({{"a", blob('b')}, {"b", blob('c')}, {"c", "small"}}), clear()}};
  scenario.max_bytes = 512 * 1024;
  die_everywhere(scenario);
}

TEST(Crash, A1_A2_A9_WritesThatPayForCleaning) {
  std::vector<Step> before = puts(0, 8, 800);
  for (int i = 0; i < 60; ++i) before = before + puts(0, 6, 800 + i % 2);
  for (int i = 0; i < 60; ++i) before = before + puts(0, 5, 800 + i % 2);
  die_everywhere({before, puts(0, 3, 300), 0});
}

}  // namespace
}  // namespace ultradict::test
