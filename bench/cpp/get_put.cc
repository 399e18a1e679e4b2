// SPDX-License-Identifier: Apache-2.0
// get_put [count] [repetitions]: puts, overwrites and gets int64 keys, one thread, each in a random order of its own,
// in the engine and in what one would use instead. The contestants take turns; the median of each is printed, then how
// long single operations took, with the time to read the clock in it, and all of it as one line of JSON at the end.
// Every value that comes back is checked before a time counts.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "stores/store.h"
#include "stores/store_ultradict.h"
#include "stores/store_unordered_map.h"
#include "support/latencies.h"
#ifdef ULTRADICT_HAVE_LMDB
#include "stores/store_lmdb.h"
#endif
#ifdef ULTRADICT_HAVE_BOOST
#include "stores/store_boost_interprocess.h"
#endif
#ifdef ULTRADICT_HAVE_TBB
#include "stores/store_tbb.h"
#endif

namespace bench {
namespace {

constexpr std::size_t timed_operations_min = 200'000;  // few keys are overwritten and read as often as that takes

// Nanoseconds of one operation.
struct Times {
  double put = 0;
  double overwrite = 0;
  double get = 0;
};

// How long single ones took.
struct Singles {
  Latencies overwrite;
  Latencies get;
};

struct Result {
  std::string name;
  std::string version;
  std::vector<Times> samples;
  Singles singles;
};

std::int64_t first_value(std::int64_t key) { return 3 * key + 1; }
std::int64_t second_value(std::int64_t key) { return 5 * key + 2; }
std::int64_t third_value(std::int64_t key) { return 7 * key + 3; }

using Keys = std::vector<std::int64_t>;

// Each operation in its own order: what was put one after the other lies side by side, and who gets it in that order
// reads from one end to the other.
struct Orders {
  Keys put;
  Keys overwrite;
  Keys get;
};

Keys shuffled_keys(std::size_t count, unsigned seed) {
  Keys keys(count);
  std::iota(keys.begin(), keys.end(), 0);
  std::shuffle(keys.begin(), keys.end(), std::mt19937(seed));
  return keys;
}

Orders orders_of(std::size_t count) {
  return {shuffled_keys(count, 20'000), shuffled_keys(count, 20'001), shuffled_keys(count, 20'002)};
}

template <class Work>
double timed_ns(std::size_t operations, Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() / static_cast<double>(operations);
}

// How often all keys are gone through. Odd: two values take turns, and the last one is the second.
std::size_t rounds_of(std::size_t keys) { return std::max<std::size_t>(timed_operations_min / keys, 1) | 1; }

template <class Store>
double timed_put(Store& store, const Keys& keys) {
  return timed_ns(keys.size(), [&] {
    for (const std::int64_t key : keys) store.put(key, first_value(key));
    store.finish_writing();
  });
}

template <class Store>
double timed_overwrite(Store& store, const Keys& keys) {
  const std::size_t rounds = rounds_of(keys.size());
  return timed_ns(rounds * keys.size(), [&] {
    for (std::size_t round = 0; round < rounds; ++round) {
      for (const std::int64_t key : keys) store.put(key, round % 2 == 0 ? second_value(key) : first_value(key));
    }
    store.finish_writing();
  });
}

template <class Store>
double timed_get(Store& store, const Keys& keys) {
  const std::size_t rounds = rounds_of(keys.size());
  std::size_t wrong = 0;
  const double ns = timed_ns(rounds * keys.size(), [&] {
    for (std::size_t round = 0; round < rounds; ++round)
      for (const std::int64_t key : keys) wrong += store.get(key) != second_value(key);
  });
  if (wrong != 0) fail(std::string(Store::name) + ": " + std::to_string(wrong) + " values are wrong");
  return ns;
}

template <class Operation>
void time_each(const Keys& keys, Latencies* latencies, Operation operation) {
  for (const std::int64_t key : keys) {
    const auto start = std::chrono::steady_clock::now();
    operation(key);
    latencies->add(std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
  }
}

template <class Store>
void time_singles(Store& store, const Orders& orders, Singles* singles) {
  time_each(orders.overwrite, &singles->overwrite, [&](std::int64_t key) { store.put(key, third_value(key)); });
  store.finish_writing();
  std::size_t wrong = 0;
  time_each(orders.get, &singles->get, [&](std::int64_t key) { wrong += store.get(key) != third_value(key); });
  if (wrong != 0) fail(std::string(Store::name) + ": " + std::to_string(wrong) + " values are wrong in the end");
}

template <class Store>
void measure(const Orders& orders, Result* result) {
  Store store;
  Times times;
  times.put = timed_put(store, orders.put);
  times.overwrite = timed_overwrite(store, orders.overwrite);
  if (store.count() != orders.put.size()) fail(std::string(Store::name) + ": the number of keys is wrong");
  times.get = timed_get(store, orders.get);
  time_singles(store, orders, &result->singles);
  result->samples.push_back(times);
}

// One after the other, again and again, so that a slow moment of the machine meets them all.
class Contest {
 public:
  Contest(const Orders& orders, int repetitions) : orders_(orders), repetitions_(repetitions) {}

  template <class Store>
  void enter() {
    results_.push_back({Store::name, Store::version(), {}, {}});
    measures_.push_back(measure<Store>);
  }
  std::vector<Result> run() {
    for (int repetition = 0; repetition < repetitions_; ++repetition) {
      for (std::size_t i = 0; i < results_.size(); ++i) measures_[i](orders_, &results_[i]);
    }
    return results_;
  }

 private:
  const Orders& orders_;
  int repetitions_;
  std::vector<Result> results_;
  std::vector<void (*)(const Orders&, Result*)> measures_;
};

std::vector<Result> measure_all(const Orders& orders, int repetitions) {
  Contest contest(orders, repetitions);
  contest.enter<StoreUltradict>();
  contest.enter<StoreUnorderedMap>();
#ifdef ULTRADICT_HAVE_TBB
  contest.enter<StoreTbb>();
#endif
#ifdef ULTRADICT_HAVE_BOOST
  contest.enter<StoreBoostInterprocess>();
#endif
#ifdef ULTRADICT_HAVE_LMDB
  contest.enter<StoreLmdbTransactionEach>();
  contest.enter<StoreLmdbOneTransaction>();
#endif
  return contest.run();
}

double median(const Result& result, double Times::*time) {
  std::vector<double> values;
  for (const Times& sample : result.samples) values.push_back(sample.*time);
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print_table(const std::vector<Result>& results) {
  std::printf("%-32s %12s %12s %12s\n", "ns an operation", "put", "overwrite", "get");
  for (const Result& result : results) {
    std::printf("%-32s %12.1f %12.1f %12.1f\n", result.name.c_str(), median(result, &Times::put),
                median(result, &Times::overwrite), median(result, &Times::get));
  }
  for (const auto& [title, single] : {std::pair("a single overwrite", &Singles::overwrite), {"get", &Singles::get}}) {
    std::printf("%-32s %s\n", title, Latencies::heading);
    for (const Result& result : results)
      std::printf("%-32s %s\n", result.name.c_str(), (result.singles.*single).columns().c_str());
  }
}

std::string object(const std::string& members) { return std::string("{").append(members).append("}"); }
std::string quoted(const std::string& text) { return std::string("\"").append(text).append("\""); }

// An object with a member for each contestant.
template <class Text>
std::string members(const std::vector<Result>& results, Text text) {
  std::string found = "{";
  for (const Result& result : results) {
    if (found.size() > 1) found.append(", ");
    found.append(quoted(result.name)).append(": ").append(text(result));
  }
  return found.append("}");
}

std::string times_of(const Result& result) {
  char text[120];
  std::snprintf(text, sizeof text, "{\"put\": %.1f, \"overwrite\": %.1f, \"get\": %.1f}", median(result, &Times::put),
                median(result, &Times::overwrite), median(result, &Times::get));
  return text;
}

void print_json(const std::vector<Result>& results, std::size_t count) {
  const auto version = [](const Result& result) { return quoted(result.version); };
  const auto overwrite = [](const Result& result) { return object(result.singles.overwrite.json()); };
  const auto get = [](const Result& result) { return object(result.singles.get.json()); };
  std::printf("{\"count\": %zu, \"compiler\": \"%s\", \"versions\": %s, \"ns\": %s, ", count, __VERSION__,
              members(results, version).c_str(), members(results, times_of).c_str());
  std::printf("\"single overwrite\": %s, \"single get\": %s}\n", members(results, overwrite).c_str(),
              members(results, get).c_str());
}

int number(int argc, char** argv, int position, int otherwise) {
  const int value = argc > position ? std::atoi(argv[position]) : otherwise;
  if (value <= 0) fail("usage: get_put [count] [repetitions]");
  return value;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const auto count = static_cast<std::size_t>(number(argc, argv, 1, 1'000'000));
  const int repetitions = number(argc, argv, 2, 3);
  const auto results = measure_all(orders_of(count), repetitions);
  print_table(results);
  print_json(results, count);
  return 0;
}
