// SPDX-License-Identifier: Apache-2.0
#include "noise.h"

#include <string>

#include "support/child.h"
#include "support/content.h"

namespace ultradict::test {

namespace {

constexpr std::uint64_t crowd = 300;  // more than the first slots of a dict hold without growing

std::string noise_key(std::uint64_t number) { return "noise" + std::to_string(number); }

void erase(Dict& dict, std::uint64_t number) {
  const Status status = dict.erase(noise_key(number));
  require(status || status.code() == Code::not_found);
}

}  // namespace

void make_noise(Dict& dict, std::uint64_t seed, const std::atomic<bool>& stop) {
  Random random(seed);
  while (!stop.load()) {
    const std::uint64_t count = random.below(crowd);
    for (std::uint64_t i = 0; i < count && !stop.load(); ++i) {
      require(dict.put(noise_key(i), std::string(random.below(2000), 'n')));
      if (random.below(20) == 0) require(dict.clean());
    }
    for (std::uint64_t i = 0; i < count && !stop.load(); ++i) erase(dict, i);
  }
}

}  // namespace ultradict::test
