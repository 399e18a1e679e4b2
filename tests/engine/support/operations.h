// SPDX-License-Identifier: Apache-2.0
// Every operation of a dict by name, for tests that let each step of each fail; and what must hold afterwards.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {

struct NamedOperation {
  std::string name;
  std::function<Status(Dict&)> run;  // the same outcome however often it is done
};
// For failures of gtest, which wants it to have this name. NOLINTNEXTLINE(readability-identifier-naming)
void PrintTo(const NamedOperation& operation, std::ostream* stream);

const std::vector<NamedOperation>& operations();

// A dict with something of everything in it.
Dict prepared_for_operations(const Scratch& scratch, std::uint64_t max_bytes = 0);

// What an operation makes of such a dict, and whether one that was disturbed did all of that or nothing.
class DisturbedOperation {
 public:
  explicit DisturbedOperation(const NamedOperation& operation, std::uint64_t max_bytes = 0);

  // `disturbed` runs what it is given and says how it ended, memory_full for an exception.
  // If a file cannot be removed, that of a large value may stay until the next clear().
  void run(const std::function<Status(const std::function<Status()>&)>& disturbed, bool blobs_may_stay = false);

 private:
  void expect_done_or_not(Dict& dict, const Status& status, bool blobs_may_stay) const;

  Scratch scratch_;
  NamedOperation operation_;
  std::uint64_t max_bytes_;
  Content before_;
  Content after_;
};

}  // namespace ultradict::test
