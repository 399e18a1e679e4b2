// SPDX-License-Identifier: Apache-2.0
// ping_pong [turns]: how long it takes until what one process writes is seen by another one that looks all the time.
// Two processes, each on a processor of its own, answer each other. Half of the median is one way; a wait lies on one
// of the ways, so the others are those of both. Beside it the same with two bare words in shared memory, each in its
// own cache line: as fast as the machine can be. A table, and one line of JSON.
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "support/crew.h"
#include "support/fresh_dict.h"
#include "support/latencies.h"

namespace bench {
namespace {

using ultradict::Dict;

constexpr int rounds = 5;

// Where there is one processor only, nothing is pinned, and the figures say so by their size.
void pin_to(int processor) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  CPU_SET(static_cast<unsigned>(processor), &allowed);
  (void)sched_setaffinity(0, sizeof allowed, &allowed);
}

// Two words that are written by one process each.
class BareWords {
 public:
  static constexpr const char* name = "bare cache lines";

  void begin(int) {}
  void write(int word, std::uint64_t value) { words_[static_cast<std::size_t>(word)].value.store(value); }
  void wait_for(int word, std::uint64_t value) {
    while (words_[static_cast<std::size_t>(word)].value.load() != value) {
    }
  }

 private:
  struct alignas(128) Word {
    std::atomic<std::uint64_t> value;
  };
  Shared<Word> words_{2};
};

// Two keys, by the Sightings that a program keeps which looks at the same keys again and again: who waits asks whether
// what it read last is still current, then reads what came.
class Keys {
 public:
  static constexpr const char* name = "ultradict";

  Keys() {
    open_fresh("ping_pong", &dict_);
    for (const char* key : keys) require(dict_.put(key, bytes(std::uint64_t{0})));
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  ~Keys() { (void)dict_.unlink(); }

  // Of the process that waits for that word and writes the other one.
  void begin(int word) {
    require(dict_.find(keys[1 - word], &written_, &buffer_, &record_));
    require(dict_.find(keys[word], &seen_, &buffer_, &record_));
  }
  void write(int, std::uint64_t value) { require(dict_.put_at(&written_, bytes(value))); }
  void wait_for(int, std::uint64_t value) {
    while (value_of(record_) != value) {
      while (seen_.current()) {
      }
      bool moved = false;
      require(dict_.reread(&seen_, &buffer_, &record_, &moved));
    }
  }

 private:
  static constexpr const char* keys[2] = {"ping", "pong"};

  static std::uint64_t value_of(const ultradict::Record& record) {
    std::uint64_t value = 0;
    if (record.value.size() != sizeof value) fail("ultradict: a value has the wrong size");
    std::memcpy(&value, record.value.data(), sizeof value);
    return value;
  }

  Dict dict_;
  ultradict::Sighting written_;
  ultradict::Sighting seen_;
  ultradict::Buffer buffer_;
  ultradict::Record record_;
};

struct Result {
  std::string name;
  Latencies both_ways;
};

template <class Words>
void play(std::uint64_t turns, Result* result) {
  Words words;
  Shared<Latencies> found;
  in_processes(2, [&](int number) {
    pin_to(number);
    words.begin(1 - number);
    for (std::uint64_t turn = 1; turn <= turns; ++turn) {
      const std::int64_t before = now_ns();
      if (number == 1) words.wait_for(0, turn);
      words.write(number, turn);
      if (number == 1) continue;
      words.wait_for(1, turn);
      found[0].add(now_ns() - before);
    }
  });
  result->name = Words::name;
  result->both_ways.add(found[0]);
}

void print(const std::vector<Result>& results) {
  std::printf("%-18s %10s %s\n", "", "one way", Latencies::heading);
  for (const auto& [name, both_ways] : results) {
    const auto one_way = static_cast<unsigned long long>(both_ways.quantile(0.5) / 2);
    std::printf("%-18s %10llu %s\n", name.c_str(), one_way, both_ways.columns().c_str());
  }
  std::printf("{");
  const char* separator = "";
  for (const auto& [name, both_ways] : results) {
    const auto number = [&both_ways = both_ways](double share) {
      return static_cast<unsigned long long>(both_ways.quantile(share));
    };
    std::printf(
        "%s\"%s\": {\"p50, one way\": %llu, \"p99, there and back\": %llu, \"p99.9, there and back\": %llu, "
        "\"longest, there and back\": %llu}",
        separator, name.c_str(), number(0.5) / 2, number(0.99), number(0.999),
        static_cast<unsigned long long>(both_ways.longest()));
    separator = ", ";
  }
  std::printf("}\n");
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const int turns = argc > 1 ? std::atoi(argv[1]) : 100'000;
  if (turns <= 0) fail("usage: ping_pong [turns]");
  std::vector<Result> results(2);
  for (int round = 0; round < rounds; ++round) {
    play<BareWords>(static_cast<std::uint64_t>(turns), &results[0]);
    play<Keys>(static_cast<std::uint64_t>(turns), &results[1]);
  }
  print(results);
  return 0;
}
