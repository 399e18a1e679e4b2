// SPDX-License-Identifier: Apache-2.0
#include "interleavings/choices.h"

#include <cstdio>
#include <cstdlib>

namespace ultradict::test {

void Choices::begin_run() {
  at_ = 0;
  deviations_ = 0;
}

int Choices::choose(int count, bool costs) {
  if (count == 1 || (costs && deviations_ == deviations_max_)) return 0;
  if (at_ == path_.size()) path_.push_back({0, count, costs});
  const Choice& choice = path_[at_++];
  if (choice.count != count || choice.costs != costs) {
    std::fprintf(stderr, "interleavings: the same choices led elsewhere: %zu (%d ways, not %d)\n", at_ - 1, count,
                 choice.count);
    std::abort();
  }
  if (choice.taken != 0 && costs) ++deviations_;
  return choice.taken;
}

bool Choices::next() {
  for (; !path_.empty(); path_.pop_back()) {
    Choice& last = path_.back();
    if (last.taken + 1 == last.count) continue;
    ++last.taken;
    return true;
  }
  return false;
}

std::string Choices::described() const {
  std::string text;
  for (std::size_t i = 0; i < path_.size(); ++i) {
    if (path_[i].taken != 0) text += " " + std::to_string(i) + ":" + std::to_string(path_[i].taken);
  }
  return text.empty() ? " none" : text;
}

}  // namespace ultradict::test
