// SPDX-License-Identifier: Apache-2.0
// Memory that another process takes and gives back all the time: what was found free a moment ago is gone when it is
// touched. Each operation is done or refused, and nobody is ended by SIGBUS.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "support/child.h"
#include "support/model.h"
#include "support/scale.h"
#include "support/small_memory.h"

namespace ultradict::test {
namespace {

constexpr std::uint64_t memory_pages = 300;

// For ever: takes some pages or all there are, and gives some or all of them back. `*rounds` counts.
void eat(const SmallMemory& memory, std::uint64_t* rounds) {
  const int file = ::open((memory.path() + "/eaten").c_str(), O_RDWR | O_CREAT, 0600);
  Random random(seed());
  for (;; __atomic_fetch_add(rounds, 1, __ATOMIC_RELAXED)) {
    for (std::uint64_t pages = memory_pages; pages > 0; pages /= 2) {
      const ::off_t end = ::lseek(file, 0, SEEK_END);
      const std::uint64_t taken = random.below(4) == 0 ? 1 + random.below(8) : pages;
      (void)::posix_fallocate(file, end, static_cast<::off_t>(taken * page_size));
    }
    const auto end = static_cast<std::uint64_t>(::lseek(file, 0, SEEK_END));
    const std::uint64_t kept = random.below(3) == 0 ? 0 : random.below(end / page_size + 1) * page_size;
    (void)!::ftruncate(file, static_cast<::off_t>(kept));
  }
}

struct Outcome {
  std::uint64_t eaten = 0;  // rounds
  std::uint64_t done = 0;
  std::uint64_t refused = 0;
};

class Robbed {
 public:
  Robbed(Dict dict, Outcome& outcome) : dict_(std::move(dict)), random_(seed() + 1), outcome_(outcome) {}

  void run(std::uint64_t operations) {
    for (std::uint64_t i = 0; i < operations; ++i) {
      do_something();
      if (i % 200 == 0) compare();
    }
    compare();
  }

 private:
  std::string key() { return "key" + std::to_string(random_.below(150)); }
  std::string value() {
    constexpr std::uint64_t sizes[] = {10, 100, 700, 4000, 30'000, 50'000};
    return std::string(random_.below(sizes[random_.below(6)]), static_cast<char>('a' + random_.below(26)));
  }

  void do_something() {
    switch (random_.below(10)) {
      case 0:
        return put_many();
      case 1:
        if (random_.below(10) == 0) require(dict_.clean());
        return;
      case 2:
        if (random_.below(50) != 0) return;
        require(dict_.clear());
        return model_.clear();
      case 3:
      case 4:
      case 5:
        return erase(key());
      default:
        return put(key(), value());
    }
  }

  bool is_done(const Status& status) {
    if (status) return ++outcome_.done, true;
    if (status.code() != Code::memory_full) require(status);
    ++outcome_.refused;
    return false;
  }

  void put(const std::string& key, const std::string& value) {
    if (is_done(dict_.put(key, value))) model_.put(key, value);
  }

  void put_many() {
    Content content;
    for (std::uint64_t i = random_.below(20); i > 0; --i) content.emplace_back(key(), value());
    std::vector<Item> items;
    for (const auto& [key, value] : content) items.push_back({Key{key}, value});
    if (!is_done(dict_.put_all(items))) return;
    for (const auto& [key, value] : content) model_.put(key, value);
  }

  void erase(const std::string& key) {
    require(dict_.erase(key).code() == (model_.erase(key) ? Code::ok : Code::not_found));
  }

  void compare() const {
    require(content_of(dict_) == model_.content());
    require(unsoundness_of(dict_).empty());
    require(orphans_of(dict_).empty());
  }

  Dict dict_;
  Random random_;
  Outcome& outcome_;
  Model model_;
};

TEST(EatenMemoryCampaign, D2_AnotherProcessTakesTheSpaceBetweenSizingAndTouching) {
  const SmallMemory memory(memory_pages * page_size);
  if (!memory.is_there()) GTEST_SKIP() << "mounting is not permitted";
  const SharedNote<Outcome> outcome;
  const std::uint64_t rounds = scaled(10, 300);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    Options options = memory.options(Create::always);
    options.buffer_size = round % 2 == 0 ? 10'000 : 0;
    const int ended = in_child([&] {
      Dict dict;
      require(Dict::open("dict", options, &dict));
      const std::uint64_t before = outcome->eaten;
      const Child eater([&] { eat(memory, &outcome->eaten); });
      while (__atomic_load_n(&outcome->eaten, __ATOMIC_RELAXED) == before) {
      }
      Robbed(std::move(dict), *outcome).run(3000);
    });
    ASSERT_EQ(ended, 0) << "round " << round << ", seed " << seed();
    ASSERT_TRUE(Dict::unlink("dict", memory.options().directory));
    ::unlink((memory.path() + "/eaten").c_str());
  }
  EXPECT_GT(outcome->done, rounds * 100);
  EXPECT_GT(outcome->refused, rounds * 100);
  std::printf("eaten memory: taken and given back %llu times, %llu operations done, %llu refused, SIGBUS 0\n",
              static_cast<unsigned long long>(outcome->eaten), static_cast<unsigned long long>(outcome->done),
              static_cast<unsigned long long>(outcome->refused));
}

}  // namespace
}  // namespace ultradict::test
