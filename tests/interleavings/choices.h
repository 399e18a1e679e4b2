// SPDX-License-Identifier: Apache-2.0
// Choices: a walk through every way a run can go. Each run asks, in its order, which of several ways it takes; the next
// run takes the last way that was not tried yet. Way 0 is what happens by itself; another way may cost a deviation, of
// which a run has so many and no more.
#pragma once

#include <string>
#include <vector>

namespace ultradict::test {

class Choices {
 public:
  explicit Choices(int deviations_max) : deviations_max_(deviations_max) {}

  void begin_run();
  int choose(int count, bool costs);
  // Whether there is another run.
  bool next();

  // How this run went, for who wants to see it again: "3:1 17:2" = at choice 3 way 1, at choice 17 way 2.
  std::string described() const;

 private:
  struct Choice {
    int taken;
    int count;
    bool costs;
  };
  int deviations_max_;
  int deviations_ = 0;
  std::size_t at_ = 0;
  std::vector<Choice> path_;
};

}  // namespace ultradict::test
