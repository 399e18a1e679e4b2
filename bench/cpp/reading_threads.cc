// SPDX-License-Identifier: Apache-2.0
// reading_threads [gets]: threads of one process get the same few keys at once, each so many times, from the engine and
// from what a single process would use instead. Nanoseconds of one get in each thread: what does not grow with their
// number scales, as far as there are processors.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "stores/store.h"
#include "stores/store_ultradict.h"
#include "stores/store_unordered_map.h"
#ifdef ULTRADICT_HAVE_TBB
#include "stores/store_tbb.h"
#endif

namespace bench {
namespace {

constexpr std::int64_t keys = 1000;
constexpr int threads_max = 4;

std::int64_t value_of(std::int64_t key) { return 3 * key + 1; }

// One thread's gets.
template <class Store>
void get_all(Store& store, std::int64_t gets) {
  [[maybe_unused]] std::string found;
  for (std::int64_t turn = 0; turn < gets; ++turn) {
    std::int64_t value = 0;
    if constexpr (std::is_same_v<Store, StoreUltradict>) {
      value = store.get(turn % keys, &found);
    } else {
      value = store.get(turn % keys);
    }
    if (value != value_of(turn % keys)) fail(std::string(Store::name) + ": a value is wrong");
  }
}

template <class Store>
double timed_ns(Store& store, int threads_count, std::int64_t gets) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(threads_count));
  for (int i = 0; i < threads_count; ++i) threads.emplace_back([&] { get_all(store, gets); });
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() / static_cast<double>(gets);
}

template <class Store>
void measure(std::int64_t gets) {
  Store store;
  for (std::int64_t key = 0; key < keys; ++key) store.put(key, value_of(key));
  std::printf("%-32s", Store::name);
  for (int count = 1; count <= threads_max; count *= 2) std::printf(" %10.1f", timed_ns(store, count, gets));
  std::printf("\n");
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const std::int64_t gets = argc > 1 ? std::atoll(argv[1]) : 2'000'000;
  if (gets <= 0) fail("usage: reading_threads [gets]");
  std::printf("%-32s %10s %10s %10s\n", "ns a get, threads:", "1", "2", "4");
  measure<StoreUltradict>(gets);
  measure<StoreUnorderedMap>(gets);
#ifdef ULTRADICT_HAVE_TBB
  measure<StoreTbb>(gets);
#endif
  return 0;
}
