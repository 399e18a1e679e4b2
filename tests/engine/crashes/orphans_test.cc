// SPDX-License-Identifier: Apache-2.0
// What a living process has under way is not taken for what a dead one left: it is stopped after each of its file
// calls, others sweep, repair and clean as much as they can, and then it goes on as if nothing had been.
#include <gtest/gtest.h>

#include <filesystem>

#include "crashes/crash_point.h"
#include "crashes/scenario.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

// Lets the process wait for the test after its n-th file call.
class StopAt : public Observer {
 public:
  explicit StopAt(int call) : left_(call) {}
  void after_store(const void*, std::size_t) override {}
  void after_open() override {}
  void after_file_call(int) override {
    if (--left_ != 0) return;
    has_stopped = true;
    reached.open();
    go_on.wait();
  }

  Gate reached;
  Gate go_on;
  bool has_stopped = false;

 private:
  int left_;
};

// An owner of the lock dies, its successor repairs; then comes whoever opens a first dict in the directory and cleans.
void sweep(const Scratch& scratch) {
  const auto open = [&](Dict* dict) { return Dict::open("dict", scratch.options(Create::never), dict); };
  EXPECT_EQ(in_child([&] {
              Dict dict;
              if (open(&dict) && dict.lock(at_once)) ::raise(SIGKILL);
            }) % SIGKILL,
            0);
  EXPECT_EQ(in_child([&] {
              require(scratch.open("sweeper", scratch.mortal(Create::always)).close());
              Dict dict;
              if (!open(&dict) || !dict.lock(at_once)) return;
              require(dict.clean());
              require(dict.unlock());
            }),
            0);
}

// `act` in a process that is stopped at each of its file calls in turn, while others sweep; then `expect`.
void stop_everywhere(const std::function<void(const Scratch&)>& before, const std::function<void(const Scratch&)>& act,
                     const std::function<void(const Scratch&)>& expect) {
  if (forks_are_slow()) GTEST_SKIP() << "hundreds of forks";
  SharedNote<bool> is_done;
  for (int call = 1; !*is_done && !testing::Test::HasFailure(); ++call) {
    SCOPED_TRACE("stopped after file call " + std::to_string(call));
    const Scratch scratch;
    before(scratch);
    StopAt stop(call);
    Child child([&] {
      observe(&stop);
      act(scratch);
      observe(nullptr);
      *is_done = !stop.has_stopped;
      stop.reached.open();
    });
    stop.reached.wait();
    sweep(scratch);
    stop.go_on.open();
    EXPECT_EQ(child.wait(), 0);
    expect(scratch);
  }
}

void expect_items(const Scratch& scratch, const Content& items) {
  Dict dict = scratch.open("dict", Create::never);
  expect_content(dict, items);
  EXPECT_EQ(orphans_of(dict), "");
  EXPECT_EQ(dicts_in(scratch), 1U);
}

TEST(Orphans, H5_OfALivingCreatorAreNone) {
  stop_everywhere([](const Scratch& scratch) { require(scratch.open("first", scratch.mortal()).close()); },
                  [](const Scratch& scratch) { require(scratch.open("dict", Create::always).put("k", "v")); },
                  [](const Scratch& scratch) {
                    expect_items(scratch, {{"k", "v"}});
                  });
}

TEST(Orphans, H5_OfALivingWriterOfBlobsAreNone) {
  stop_everywhere([](const Scratch& scratch) { require(scratch.open().put("k", blob('a'))); },
                  [](const Scratch& scratch) {
                    Dict dict = scratch.open();
                    require(dict.put("k", blob('b')));
                    require(put_all({{"l", blob('c')}, {"m", blob('d')}})(dict));
                  },
                  [](const Scratch& scratch) {
                    expect_items(scratch, {{"k", blob('b')}, {"l", blob('c')}, {"m", blob('d')}});
                  });
}

TEST(Orphans, H5_OfALivingCleanerAreNone) {
  Content content;
  for (int i = 0; i < 20; ++i) content.emplace_back("k" + std::to_string(i), std::string(15'000, 'v'));
  stop_everywhere(
      [&](const Scratch& scratch) {
        Dict dict = scratch.open();
        for (int round = 0; round < 3; ++round) {
          for (const auto& [key, value] : content) require(dict.put(key, value));
        }
      },
      [](const Scratch& scratch) { require(scratch.open().clean()); },
      [&](const Scratch& scratch) { expect_items(scratch, content); });
}

}  // namespace
}  // namespace ultradict::test
