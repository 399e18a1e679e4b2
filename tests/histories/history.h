// SPDX-License-Identifier: Apache-2.0
// History: some processes, of one or two threads each, work on a few keys of a new dict until a number of operations is
// on record. In every second one processes are killed all the while, as often as not in the middle of a change; another
// process goes on with their lines. Before that somebody takes the lock once: what the dead had begun is settled then,
// so that an operation without an answer has an end all the same.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "line.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {

struct Plan {
  explicit Plan(std::uint64_t number);

  std::uint64_t seed;
  std::uint32_t process_count;
  std::uint32_t threads_each;
  std::uint32_t operation_count;
  std::uint8_t key_count;
  std::uint32_t kill_count;  // 0 in every second history
  bool is_nested;            // the keys are those of a nested dict
  bool clears;               // now and then everything is deleted at once
};

class History {
 public:
  explicit History(const Plan& plan);

  // Every operation is done. False if a process ended by itself, or the dict is not sound afterwards.
  bool run();
  void print() const;  // as the checker reads it

 private:
  static constexpr std::uint32_t lines_max = 9;  // of the threads, and one of who reads all at the end
  struct Shared {
    Line lines[lines_max];
    std::atomic<std::uint32_t> arrived = 0;  // threads that wait for the others before their first operation
    std::atomic<bool> stop = false;          // for the noise
  };

  std::uint32_t line_count() const { return plan_.process_count * plan_.threads_each; }
  bool is_noise(std::uint32_t process) const { return process == plan_.process_count; }
  void open();
  void begin(std::uint32_t process);
  void work(std::uint32_t process, std::uint64_t seed);
  void fill(Line& line, std::uint64_t seed);
  std::int64_t argument(const Line& line, std::uint32_t index) const;
  Kind choose_kind(Random& random) const;

  std::uint32_t done_count() const;
  bool is_done(std::uint32_t process) const;
  bool is_in_call(std::uint32_t process) const;
  bool all_live() const;
  void kill_when_due();
  std::uint32_t choose_victim();
  void aim_at(std::uint32_t victim);
  bool finish();
  void read_all_keys();

  Plan plan_;
  Random random_;
  Scratch scratch_;
  Dict root_;
  Dict dict_;
  SharedNote<Shared> shared_;
  std::vector<std::unique_ptr<Child>> processes_;  // the last one makes the noise
  std::uint32_t killed_ = 0;
  bool all_well_ = true;
};

}  // namespace ultradict::test
