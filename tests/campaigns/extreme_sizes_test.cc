// SPDX-License-Identifier: Apache-2.0
// The least and the most: keys and values of no bytes and of gigabytes, millions of keys, and one key that is changed
// millions of times.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "base/hash.h"
#include "support/content.h"
#include "support/model.h"
#include "support/scale.h"
#include "support/scratch.h"
#include "support/stopwatch.h"

namespace ultradict::test {
namespace {

constexpr std::uint64_t gibi = std::uint64_t{1} << 30;

std::uint64_t memory_of(const Dict& dict) {
  const Stats stats = dict.stats();
  return stats.log_size + stats.table_size + stats.blob_size;
}

bool has_room(const Scratch& scratch, std::uint64_t size) {
  return std::filesystem::space(scratch.path()).available > size;
}

TEST(ExtremeSizes, D8_OfKeysAndValuesFromNothingOn) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Model model;
  std::uint64_t number = 0;
  for (const std::size_t key_size : {0, 1, 7, 8, 9, 255, 4096, 40'000, 1'000'000}) {
    std::vector<std::size_t> sizes{0, 1, 7, 8, 9, 4095, 4096, 4097, blob_size_min - 1, blob_size_min};
    for (const std::size_t more : {blob_size_min + 1, blob_size_min + 4096, std::size_t{5'000'000}}) {
      sizes.push_back(more);
    }
    for (const std::size_t size : sizes) {
      const std::string key(key_size, static_cast<char>('a' + key_size % 26));
      const std::string value(size, static_cast<char>('a' + ++number % 26));
      ASSERT_TRUE(dict.put(key, value)) << key_size << " " << size;
      model.put(key, value);
      ASSERT_EQ(summary_of(value_of(dict, key)), summary_of(value));
    }
  }
  expect_content(dict, model.content());
}

TEST(ExtremeSizes, D8_BeyondTheLimitsAreRefused) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const char byte = 'x';
  const Status key = dict.put(Bytes(&byte, key_size_max + 1), "v");
  EXPECT_EQ(key.code(), Code::invalid_argument);
  EXPECT_NE(key.message().find(std::to_string(key_size_max)), std::string::npos) << key.message();
  const Status value = dict.put("k", Bytes(&byte, value_size_max + 1));
  EXPECT_EQ(value.code(), Code::invalid_argument);
  EXPECT_NE(value.message().find(std::to_string(value_size_max)), std::string::npos) << value.message();
  expect_content(dict, {});
}

TEST(ExtremeSizes, D8_AValueOfFourGibibytesAndAKeyOfOne) {
  const Scratch scratch;
  if (!is_stressed() || !has_room(scratch, 12 * gibi)) GTEST_SKIP() << "only at full length, with 12 GiB";
  Dict dict = scratch.open();
  const Stopwatch stopwatch;
  {
    const std::string part(64 << 20, 'p');
    const std::vector<Bytes> parts(64, part);
    std::vector<Bytes> all(parts);
    all.emplace_back("and more");
    StagedValue staged;
    ASSERT_TRUE(dict.stage(all, &staged));
    ASSERT_TRUE(dict.put(Key{"four"}, &staged, nullptr));
    MappedValue mapped;
    ASSERT_TRUE(dict.map("four", &mapped));
    ASSERT_EQ(mapped.bytes().size(), 4 * gibi + 8);
    EXPECT_TRUE(mapped.is_intact());
    EXPECT_EQ(mapped.bytes().substr(4 * gibi - 1), "pand more");
    ASSERT_TRUE(dict.erase("four"));
  }
  const std::string key(key_size_max, 'k');
  ASSERT_TRUE(dict.put(key, "of a long key"));
  EXPECT_EQ(value_of(dict, key), "of a long key");
  ASSERT_TRUE(dict.put(key, "again"));
  EXPECT_EQ(value_of(dict, key), "again");
  ASSERT_TRUE(dict.erase(key));
  expect_content(dict, {});
  std::printf("a value of 4 GiB and a key of 1 GiB: %.1f s\n", static_cast<double>(stopwatch.elapsed_ns()) / 1e9);
}

TEST(ExtremeSizes, D8_MillionsOfKeys) {
  const Scratch scratch;
  const std::uint64_t count = scaled(100'000, 10'000'000);
  if (!has_room(scratch, count * 400)) GTEST_SKIP() << "no room";
  Dict dict = scratch.open();
  const Stopwatch stopwatch;
  for (std::uint64_t i = 0; i < count; ++i) ASSERT_TRUE(dict.put(std::to_string(i), std::to_string(i * i))) << i;
  const double put_s = static_cast<double>(stopwatch.elapsed_ns()) / 1e9;
  const std::uint64_t memory = memory_of(dict);
  ASSERT_EQ(dict.count(), count);
  std::string value;
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(dict.get(std::to_string(i), &value)) << i;
    ASSERT_EQ(value, std::to_string(i * i));
  }
  expect_sound(dict);
  for (std::uint64_t i = 0; i < count; ++i) ASSERT_TRUE(dict.erase(std::to_string(i))) << i;
  EXPECT_EQ(dict.count(), 0U);
  expect_sound(dict);
  std::printf("keys: %llu put in %.2f s, %llu bytes each; %llu bytes are left when all are deleted\n",
              static_cast<unsigned long long>(count), put_s, static_cast<unsigned long long>(memory / count),
              static_cast<unsigned long long>(memory_of(dict)));
  // The segment that was written last stays, and is the larger the more there was.
  EXPECT_LT(memory_of(dict), std::max(memory / 32, std::uint64_t{4} << 20));
}

TEST(ExtremeSizes, D8_OneKeyChangedMillionsOfTimesTakesNoMoreMemory) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::uint64_t count = scaled(1'000'000, 100'000'000);
  const Stopwatch stopwatch;
  std::uint64_t most_at_first = 0;
  std::uint64_t most = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(dict.put("key", Bytes(reinterpret_cast<const char*>(&i), sizeof i)));
    if (i % 4096 == 0) most = std::max(most, memory_of(dict));
    if (i == count / 10) most_at_first = most;
  }
  EXPECT_EQ(most, most_at_first);
  expect_sound(dict);
  std::printf("one key: changed %llu times in %.2f s, never more than %llu bytes\n",
              static_cast<unsigned long long>(count), static_cast<double>(stopwatch.elapsed_ns()) / 1e9,
              static_cast<unsigned long long>(most));
}

}  // namespace
}  // namespace ultradict::test
