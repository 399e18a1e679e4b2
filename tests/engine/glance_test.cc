// SPDX-License-Identifier: Apache-2.0
// What a glance answers must be what a careful look answers; values longer than glance_size are looked up with care.
#include "store/glance.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_map>
#include <utility>

#include "store/life.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

std::string value_of_size(char mark, std::size_t size) { return std::string(size, mark); }

// Two keys of one length whose hashes have the same tag and lead to the same one of the slots of a small dict.
std::pair<std::string, std::string> keys_that_collide(const Store& store) {
  constexpr Word told = 0xffffff0000000000ULL | (control_slots - 1);
  std::unordered_map<Word, std::string> seen;
  for (Word number = 1'000'000;; ++number) {
    std::string key = "k" + std::to_string(number);
    const auto [place, is_new] = seen.try_emplace(store.hash(0, key) & told, key);
    if (!is_new) return {place->second, std::move(key)};
  }
}

class Glance : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Short, Glance, testing::Values(8));
INSTANTIATE_TEST_SUITE_P(Long, Glance, testing::Values(2 * glance_size));

TEST_P(Glance, TellsKeysApartThatTheSlotsDoNot) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const auto [first, second] = keys_that_collide(*find_open(dict.id()));
  ASSERT_TRUE(dict.put(first, value_of_size('a', GetParam())));
  std::string value;
  EXPECT_EQ(dict.get(second, &value).code(), Code::not_found);
  EXPECT_EQ(dict.contains(second).code(), Code::not_found);
  ASSERT_TRUE(dict.put(second, value_of_size('b', GetParam())));
  EXPECT_EQ(value_of(dict, first), value_of_size('a', GetParam()));
  EXPECT_EQ(value_of(dict, second), value_of_size('b', GetParam()));
  ASSERT_TRUE(dict.erase(first));
  EXPECT_EQ(dict.get(first, &value).code(), Code::not_found);
  EXPECT_EQ(value_of(dict, second), value_of_size('b', GetParam()));
}

// Keys of every length, so that the last bytes of each are compared too.
TEST_P(Glance, FindsKeysOfEveryLength) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (std::size_t size = 0; size < 40; ++size)
    ASSERT_TRUE(dict.put(std::string(size, 'k'), value_of_size('v', GetParam() + size)));
  for (std::size_t size = 0; size < 40; ++size)
    EXPECT_EQ(value_of(dict, std::string(size, 'k')), value_of_size('v', GetParam() + size));
}

TEST(GlanceAtKeys, ComparesEveryByte) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string key(size, 'k');
    EXPECT_TRUE(is_same(key, std::string(key)));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = key;
      other[at] = 'x';
      EXPECT_FALSE(is_same(key, other)) << size << " bytes, byte " << at;
    }
  }
}

}  // namespace
}  // namespace ultradict::test
