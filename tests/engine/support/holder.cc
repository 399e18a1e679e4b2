// SPDX-License-Identifier: Apache-2.0
#include "support/holder.h"

#include <unistd.h>

namespace ultradict::test {

void wait_to_be_killed() {
  for (;;) ::pause();
}

std::unique_ptr<Child> holder_of(Dict& dict, const std::function<void()>& then) {
  auto gate = std::make_unique<Gate>();
  auto child = std::make_unique<Child>([&] {
    require(dict.lock());
    gate->open();
    then();
  });
  gate->wait();
  return child;
}

}  // namespace ultradict::test
