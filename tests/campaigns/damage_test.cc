// SPDX-License-Identifier: Apache-2.0
// A dict whose bytes were changed while nobody had it open gives an error or what was stored: never another value, no
// crash, no hang. Every place is hit, in the short run every so many-th.
#include <gtest/gtest.h>

#include <cstring>
#include <iostream>

#include "damaged_store.h"
#include "support/child.h"
#include "support/scale.h"

namespace ultradict::test {
namespace {

std::uint64_t stride(std::uint64_t cases, std::uint64_t in_short) {
  return scaled(std::max<std::uint64_t>(1, cases / in_short), 1);
}

void report_done(const char* what, std::uint64_t cases) {
  std::cout << what << ": " << cases << " cases, " << (testing::Test::HasFailure() ? "some" : "0") << " wrong\n";
}

// What the others would not notice if it were not so.
TEST(Damage, E1_UndamagedItOpensAndIsRight) {
  const DamagedStore store;
  store.restore();
  Dict dict;
  const Status opened = store.open(&dict);
  EXPECT_TRUE(opened) << opened.message();
  EXPECT_EQ(store.wrong_of(dict), "");
  for (const auto& [key, value] : store.content()) EXPECT_EQ(summary_of(value_of(dict, key)), summary_of(value));
}

TEST(Damage, E1_EverySingleBitFlippedIsAnErrorOrHarmless) {
  if (forks_are_slow()) GTEST_SKIP() << "says nothing about races";
  const DamagedStore store;
  const std::uint64_t bits = store.size() * 8;
  const std::uint64_t first = is_stressed() ? 0 : seed() % 8;
  const std::uint64_t ran = run_cases(first, bits, stride(bits, 3000) | 1, [&](std::uint64_t bit) {
    DamagedStore::Files files = store.files();
    char& byte = store.at(files, bit / 8);
    byte = static_cast<char>(byte ^ 1 << bit % 8);
    store.write(files);
    return store.wrong_after_use();
  });
  report_done("single bits flipped", ran);
}

TEST(Damage, E2_TruncatedToEveryLengthIsAnErrorOrHarmless) {
  if (forks_are_slow()) GTEST_SKIP() << "says nothing about races";
  const DamagedStore store;
  std::uint64_t ran = 0;
  for (const auto& file : store.files()) {
    const std::string& name = file.first;
    ran += run_cases(0, file.second.size(), stride(file.second.size(), 300), [&](std::uint64_t length) {
      DamagedStore::Files files = store.files();
      files[name].resize(length);
      store.write(files);
      return store.wrong_after_use();
    });
  }
  report_done("truncations", ran);
}

TEST(Damage, E2_ExtendedFilesAreAnErrorOrHarmless) {
  if (forks_are_slow()) GTEST_SKIP() << "says nothing about races";
  const DamagedStore store;
  std::uint64_t ran = 0;
  for (const auto& file : store.files()) {
    const std::string& name = file.first;
    ran += run_cases(1, 9000, stride(9000, 100), [&](std::uint64_t length) {
      DamagedStore::Files files = store.files();
      files[name].append(length, static_cast<char>(length % 3));
      store.write(files);
      return store.wrong_after_use();
    });
  }
  report_done("extensions", ran);
}

// A hole reads as zeros.
TEST(Damage, E2_HolesAreAnErrorOrHarmless) {
  if (forks_are_slow()) GTEST_SKIP() << "says nothing about races";
  const DamagedStore store;
  std::uint64_t ran = 0;
  for (const std::size_t size : {std::size_t{8}, std::size_t{64}, std::size_t{4096}}) {
    const std::uint64_t holes = store.size() / size;
    ran += run_cases(0, holes, stride(holes, 300), [&](std::uint64_t hole) {
      DamagedStore::Files files = store.files();
      for (std::size_t i = 0; i < size; ++i) store.at(files, hole * size + i) = 0;
      store.write(files);
      return store.wrong_after_use();
    });
  }
  report_done("holes", ran);
}

// Several bytes, words or runs, most of them where the words lie that steer the dict.
void damage_randomly(const DamagedStore& store, Random& random, DamagedStore::Files* files) {
  std::string& control = files->at("control");
  for (std::uint64_t times = 1 + random.below(4); times > 0; --times) {
    const std::size_t words = control.size() / sizeof(Word);
    const std::size_t steering = (offsetof(Control, journal) + 64 - offsetof(Control, lock)) / sizeof(Word);
    const bool steers = random.below(3) == 0;
    const std::size_t word =
        steers ? offsetof(Control, lock) / sizeof(Word) + random.below(steering) : random.below(words);
    char* const at = control.data() + word * sizeof(Word);
    const Word noise = random.next();
    switch (random.below(6)) {
      case 0:
        store.at(*files, random.below(store.size())) = static_cast<char>(noise);
        break;
      case 1:
        std::memcpy(at, &noise, sizeof noise);
        break;
      case 2:
        std::memcpy(at, control.data() + random.below(words) * sizeof(Word), sizeof(Word));
        break;
      case 3: {
        const std::size_t size = std::min(control.size() - word * sizeof(Word), random.below(200));
        for (std::size_t i = 0; i < size; ++i) at[i] = static_cast<char>(random.next());
        break;
      }
      case 4:
        at[0] = static_cast<char>(at[0] + 1 + random.below(4));
        break;
      default:
        at[random.below(8)] ^= static_cast<char>(1 << random.below(8));
    }
  }
}

TEST(Damage, E1_E4_RandomDamageIsAnErrorOrHarmless) {
  if (forks_are_slow()) GTEST_SKIP() << "says nothing about races";
  const DamagedStore store;
  const std::uint64_t cases = scaled(4000, is_sanitized() ? 1'000'000 : 10'000'000);
  const std::uint64_t first = seed() * 100'000'000;
  const std::uint64_t ran = run_cases(first, first + cases, 1, [&](std::uint64_t number) {
    Random random(number);
    DamagedStore::Files files = store.files();
    damage_randomly(store, random, &files);
    store.write(files);
    return store.wrong_after_use();
  });
  report_done("random damages", ran);
}

}  // namespace
}  // namespace ultradict::test
