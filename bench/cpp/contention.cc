// SPDX-License-Identifier: Apache-2.0
// contention [milliseconds]: 1, 2, 4 and 8 processes overwrite the same thousand keys, then increment one counter under
// the lock; and how much of a processor those use who wait for the lock. A table, and the same as one line of JSON.
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

constexpr std::uint64_t key_count = 1000;
constexpr int writer_counts[] = {1, 2, 4, 8};
constexpr int waiter_count = 4;
constexpr auto waiting_time = std::chrono::milliseconds(1000);

struct Row {
  std::string name;
  int processes = 0;
  double per_second = 0;
  double slowest_share = 0;  // of what the fastest did
  Latencies latencies;
};

// Runs `operation(dict, turn)` in so many processes for that long.
template <class Operation>
Row contend(const char* name, int processes, std::chrono::milliseconds time, Dict& dict, const Operation& operation) {
  Shared<Latencies> found(static_cast<std::size_t>(processes));
  in_processes(processes, [&](int number) {
    Latencies& mine = found[static_cast<std::size_t>(number)];
    const std::int64_t end = now_ns() + std::chrono::nanoseconds(time).count();
    for (std::int64_t before = now_ns(), turn = number; before < end; turn += 7) {
      operation(dict, static_cast<std::uint64_t>(turn));
      const std::int64_t after = now_ns();
      mine.add(after - before);
      before = after;
    }
  });
  Row row{name, processes, 0, 0, {}};
  std::uint64_t least = ~std::uint64_t{0};
  std::uint64_t most = 0;
  for (int number = 0; number < processes; ++number) {
    const Latencies& one = found[static_cast<std::size_t>(number)];
    row.latencies.add(one);
    least = std::min(least, one.count());
    most = std::max(most, one.count());
  }
  row.per_second = static_cast<double>(row.latencies.count()) / std::chrono::duration<double>(time).count();
  row.slowest_share = static_cast<double>(least) / static_cast<double>(most);
  return row;
}

void overwrite(Dict& dict, std::uint64_t turn) { require(dict.put(bytes(turn % key_count), bytes(turn))); }

void increment(Dict& dict, std::uint64_t) {
  static thread_local std::string value;
  require(dict.lock());
  require(dict.get("counter", &value));
  std::uint64_t count = 0;
  std::memcpy(&count, value.data(), sizeof count);
  ++count;
  require(dict.put("counter", bytes(count)));
  require(dict.unlock());
}

std::uint64_t counted(const Dict& dict) {
  std::string value;
  require(dict.get("counter", &value));
  std::uint64_t count = 0;
  std::memcpy(&count, value.data(), sizeof count);
  return count;
}

Row count_together(int processes, std::chrono::milliseconds time, Dict& dict) {
  require(dict.put("counter", bytes(std::uint64_t{0})));
  Row row = contend("increment", processes, time, dict, increment);
  if (counted(dict) != row.latencies.count()) fail("increments are lost");
  return row;
}

// Seconds of processor time that one process uses while it waits a second for the lock.
double waiting_cost() {
  Dict dict;
  open_fresh("contention", &dict);
  require(dict.lock());
  const double before = cpu_seconds_of_children();
  in_processes(waiter_count, [&](int) { (void)dict.lock({std::chrono::nanoseconds(waiting_time).count()}); });
  require(dict.unlock());
  require(dict.unlink());
  return (cpu_seconds_of_children() - before) / waiter_count / std::chrono::duration<double>(waiting_time).count();
}

void print(const std::vector<Row>& rows, double waiting) {
  std::printf("%-12s %10s %14s %10s %s\n", "operation", "processes", "a second", "slowest", Latencies::heading);
  for (const Row& row : rows) {
    std::printf("%-12s %10d %14.0f %10.2f %s\n", row.name.c_str(), row.processes, row.per_second, row.slowest_share,
                row.latencies.columns().c_str());
  }
  std::printf("who waits for the lock uses %.4f of a processor\n{\"waiting\": %.6f, \"rows\": [", waiting, waiting);
  const char* separator = "";
  for (const Row& row : rows) {
    std::printf("%s{\"operation\": \"%s\", \"processes\": %d, \"per_second\": %.0f, \"slowest_share\": %.3f, %s}",
                separator, row.name.c_str(), row.processes, row.per_second, row.slowest_share,
                row.latencies.json().c_str());
    separator = ", ";
  }
  std::printf("]}\n");
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const std::chrono::milliseconds time(argc > 1 ? std::atoi(argv[1]) : 1000);
  if (time.count() <= 0) fail("usage: contention [milliseconds]");
  ultradict::Dict dict;
  open_fresh("contention", &dict);
  for (std::uint64_t key = 0; key < key_count; ++key) require(dict.put(bytes(key), bytes(key)));
  std::vector<Row> rows;
  for (const int processes : writer_counts) rows.push_back(contend("overwrite", processes, time, dict, overwrite));
  for (const int processes : writer_counts) rows.push_back(count_together(processes, time, dict));
  if (dict.count() != key_count + 1) fail("the number of keys is wrong");
  require(dict.unlink());
  print(rows, waiting_cost());
  return 0;
}
