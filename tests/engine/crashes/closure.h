// SPDX-License-Identifier: Apache-2.0
// Closure: everything that any number of deaths can leave, and what comes of it.
//
// A process works in a directory; after each of its stores and file calls the directory is what a death at this moment
// would leave: an image. Every image is put into a directory of its own, where no process lives, and whoever comes next
// goes to work: its steps leave images as well, those of a death within recovery, and so on until nothing new is found.
// From each image it must come out right: an outcome that what was acknowledged allows, everything sound, nothing left
// over; and an outcome once decided stays: no later death undoes what an earlier recovery would have kept.
//
// That a killed process really leaves the image of that moment is what Survivors (survivor.h) and the tests that kill
// at system calls show.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "crashes/image.h"
#include "support/scratch.h"

namespace ultradict::test {

// What came of an image.
struct Verdict {
  int outcome = -1;
  std::string broken;  // "" if all is well
};

// What a process does in a directory, and what is right afterwards.
struct World {
  std::function<void(const std::string& directory)> prepare;  // may leave what it opens open
  std::function<void()> let_go;                               // of all that prepare and recover left open
  // What some process does not survive. `acknowledge` after each step that it was told is done.
  std::function<void(const std::string& directory, const std::function<void()>& acknowledge)> act;
  std::function<std::string(const std::string& directory)> recover;  // "" or what failed
  std::function<Verdict(const std::string& directory)> judge;
  std::vector<int> outcomes;     // by the number of steps acknowledged
  std::uint64_t deaths_max = 0;  // one after the other; 0: any number
};

// What all closures of the program did, printed at its end.
struct Tally {
  std::uint64_t operations = 0;
  std::uint64_t prefixes = 0;           // moments of death in them that there are
  std::uint64_t tried = 0;              // and that were tried
  std::uint64_t images = 0;             // that differ, of the operations
  std::uint64_t recovered_images = 0;   // that differ, of recoveries
  std::uint64_t recovery_prefixes = 0;  // moments of death in recoveries
  std::uint64_t deaths = 0;             // one after the other, at most
  std::uint64_t cut = 0;                // closures that were not followed to their end
  Tally& operator+=(const Tally& other);
  std::string text() const;
};

class Closure {
 public:
  // In the short run it does not follow what differs in bytes that nobody reads alone, and gives up after `images_max`
  // images of recoveries; 0: no death in a recovery is tried at all, and at full length some are.
  explicit Closure(World world, std::uint64_t images_max = 1000);
  void explore();

 private:
  class Recorder;
  // What must come of an image, and did.
  struct Fate {
    std::uint64_t allowed = ~std::uint64_t{0};  // outcomes, a bit each
    int outcome = -1;                           // -1: not tried yet
  };
  struct Task {
    std::size_t fate;
    Image image;
    std::string trail;  // moments of the deaths
    std::uint64_t deaths;
  };

  void record_act();
  void visit_act(const Image& image);
  void visit_recovery(const Image& image, const Task& task, std::vector<std::size_t>* met);
  std::size_t fate_of(const Image& image, bool is_act, bool* is_new);
  void run(const Task& task);
  Verdict verdict_on(const Task& task, const std::string& directory, std::vector<std::size_t>* met);
  void settle(const Task& task, int outcome, const std::vector<std::size_t>& met);
  void expect_steady() const;
  void fail(const Task& task, const std::string& what) const;
  std::string next_directory();

  World world_;
  std::uint64_t images_max_;
  Scratch scratch_;
  Blocks blocks_;
  std::vector<Fate> fates_;
  std::unordered_map<std::uint64_t, std::size_t> by_identity_;
  std::unordered_map<std::uint64_t, std::size_t> by_essence_;
  std::unordered_map<std::uint64_t, Verdict> verdicts_;  // by identity of what recovery left
  std::vector<std::pair<std::size_t, int>> act_;         // fate and steps acknowledged, moment by moment
  std::vector<Task> tasks_;
  int acknowledged_ = 0;
  std::uint64_t moments_ = 0;  // in the recovery under way
  std::uint64_t directories_ = 0;
  Tally tally_;
};

}  // namespace ultradict::test
