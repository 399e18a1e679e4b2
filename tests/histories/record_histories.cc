// SPDX-License-Identifier: Apache-2.0
// record_histories <count> <seed>: that many histories on standard output, as README.md says. Ends with 1 as soon as a
// process of one ended by itself or left an unsound dict; its history is written all the same.
#include <cstdio>
#include <cstdlib>

#include "history.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: record_histories <count> <seed>\n");
    return 2;
  }
  const std::uint64_t count = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t seed = std::strtoull(argv[2], nullptr, 10);
  for (std::uint64_t i = 0; i < count; ++i) {
    ultradict::test::History history(ultradict::test::Plan(seed * 1'000'000 + i));
    const bool all_well = history.run();
    history.print();
    if (all_well) continue;
    std::fprintf(stderr, "history %llu of seed %llu went wrong\n", static_cast<unsigned long long>(i),
                 static_cast<unsigned long long>(seed));
    return 1;
  }
  return 0;
}
