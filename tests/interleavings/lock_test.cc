// SPDX-License-Identifier: Apache-2.0
// The lock, in every order of takers, sleepers and times: one holds it, nobody sleeps for ever while it is free.
#include <gtest/gtest.h>

#include "interleavings/world.h"

namespace ultradict::test {
namespace {

const auto nothing = [](Dict&) {};
const auto once = [](World& world) { world.lock_and_leave(); };
const auto twice = [](World& world) {
  world.lock_and_leave();
  world.lock_and_leave();
};

TEST(Interleavings, B14_TakeAndGiveWithAWaiter) {
  World::explore({"lock leave lock leave | lock leave", {3, 2}, {5, 3}, nothing, {twice, once}});
}

TEST(Interleavings, B14_TakeAndGiveWithTwoWaiters) {
  World::explore({"lock leave | lock leave | lock leave", {2, 1}, {4, 2}, nothing, {once, once, once}});
}

}  // namespace
}  // namespace ultradict::test
