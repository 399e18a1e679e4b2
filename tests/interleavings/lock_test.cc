// SPDX-License-Identifier: Apache-2.0
// The lock, in every order of takers, sleepers and times: one holds it, nobody sleeps for ever while it is free.
#include <gtest/gtest.h>

#include "interleavings/world.h"
#include "store/life.h"

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

// The one that is woken finds the lock taken anew, by one who knows of no other that sleeps.
TEST(Interleavings, B14_TakeTwiceWithTwoWaiters) {
  World::explore({"lock leave lock leave | lock leave | lock leave", {3, 0}, {4, 1}, nothing, {twice, once, once}});
}

// Of a participant that nobody is: the kernel says that it is dead.
const auto held_by_a_dead_process = [](Dict& dict) {
  find_open(dict.id())->control().lock = LockWord::owned(participants_max - 1, 1).word;
};
const auto recovered_once = [](const Control& before, const Control& after) {
  return after.state.recoveries == before.state.recoveries + 1;
};

TEST(Interleavings, B5_OfTwoThatTakeItFromADeadOwnerOneSucceeds) {
  World::explore({"lock leave | lock leave, after a dead owner",
                  {3, 2},
                  {5, 3},
                  held_by_a_dead_process,
                  {once, once},
                  recovered_once});
}

}  // namespace
}  // namespace ultradict::test
