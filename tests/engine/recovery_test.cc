// SPDX-License-Identifier: Apache-2.0
// Writers are killed at random moments. What they intended and what was acknowledged stands in memory that survives
// them; the dict must hold all that was acknowledged, and of the last operation all or nothing. (Each single store and
// system call has its turn in crashes/.)
#include "store/recovery.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <memory>

#include "base/shared_atomic.h"
#include "os/futex.h"
#include "support/child.h"
#include "support/model.h"
#include "support/scratch.h"
#include "support/stopwatch.h"

namespace ultradict::test {
namespace {

// Of one writer: its operation number `begun` was begun, all up to `done` were acknowledged.
struct Progress {
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> done{0};
};

const Mix& mix() {
  static const Mix all{.keys = 60, .value_size_max = 600, .blob_every = 12, .clear_every = 60, .batch_every = 4};
  return all;
}

// Operation `number` is the same in every process.
bool do_operation(std::uint64_t number, Dict& dict, Model& model) {
  Random random(number);
  return random_operation(random, mix(), dict, model);
}

[[noreturn]] void write_until_killed(Dict& dict, Progress& progress) {
  Model model;
  for (const auto& [key, value] : content_of(dict)) model.put(key, value);
  for (std::uint64_t number = progress.done + 1;; ++number) {
    progress.begun = number;
    require(do_operation(number, dict, model));
    progress.done = number;
  }
}

TEST(Recovery, A3_NothingAcknowledgedIsLostBy200KilledWriters) {
  if (forks_are_slow()) GTEST_SKIP() << "thousands of forks";
  const Scratch scratch;
  Dict dict = scratch.open();
  Scratch shadow_scratch;
  Dict shadow = shadow_scratch.open();  // the model's operations need a dict to be done to
  SharedNote<Progress> progress;
  Model model;
  Random random(42);
  std::uint64_t modelled = 0;
  for (int kill = 0; kill < 200; ++kill) {
    SCOPED_TRACE("kill " + std::to_string(kill));
    {
      Child writer([&] { write_until_killed(dict, *progress); });
      wait_until([&] { return progress->done != modelled || !writer.is_running(); });
      os::pause_ns(static_cast<std::int64_t>(random.below(3'000'000)));
      ASSERT_EQ(writer.kill_and_wait(), -SIGKILL);
    }
    // What the next writer waits, from the moment the dead one is gone until its own write is acknowledged.
    const Stopwatch stopwatch;
    ASSERT_TRUE(dict.put("next", "goes on"));
    EXPECT_LT(stopwatch.elapsed_ns(), proceeds_within_ns);
    ASSERT_TRUE(dict.erase("next"));
    while (modelled < progress->done) ASSERT_TRUE(do_operation(++modelled, shadow, model));
    const Content now = content_of(dict);
    if (now != model.content()) {
      ASSERT_EQ(progress->begun, modelled + 1) << "an acknowledged operation is missing";
      ASSERT_TRUE(do_operation(++modelled, shadow, model));
      ASSERT_EQ(summary_of(now), summary_of(model.content())) << "operation " << modelled << " is half there";
      progress->done = modelled;
    }
    ASSERT_EQ(unsoundness_of(dict), "");
    ASSERT_TRUE(dict.clean());
    ASSERT_EQ(orphans_of(dict), "");
  }
  EXPECT_GT(dict.stats().recoveries, 20U) << "hardly any writer was killed while it held the lock";
}

// Several write at once to keys of their own, with values that prove themselves, and are killed and replaced.
struct Writer {
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> done{0};
};

std::string own_key(int writer, std::uint64_t number) {
  return "w" + std::to_string(writer) + "-" + std::to_string(number % 40);
}

[[noreturn]] void write_own_keys(Dict& dict, int writer, Writer& note) {
  for (std::uint64_t number = note.done + 1;; ++number) {
    note.begun = number;
    const std::string key = own_key(writer, number);
    require(dict.put(key, marked_value(key, number, number % 30 == 0 ? 40'000 : number % 700)));
    note.done = number;
  }
}

void expect_acknowledged(const Dict& dict, int writer, const Writer& note) {
  const std::uint64_t done = note.done;
  for (std::uint64_t number = done > 39 ? done - 39 : 1; number <= done; ++number) {
    const std::string key = own_key(writer, number);
    std::uint64_t found = 0;
    ASSERT_TRUE(is_marked(key, value_of(dict, key), &found)) << key;
    const bool is_next = found == note.begun && own_key(writer, note.begun) == key;
    ASSERT_TRUE(found == number || is_next) << key << " is of " << found << ", acknowledged was " << number;
  }
}

TEST(Recovery, A3_OfWritersThatAreKilledAmongOthers) {
  if (forks_are_slow()) GTEST_SKIP() << "many forks";
  constexpr int writers = 3;
  const Scratch scratch;
  Dict dict = scratch.open();
  SharedNote<Writer> notes[writers];
  std::unique_ptr<Child> children[writers];
  const auto start = [&](int i) {
    children[i] = std::make_unique<Child>([&, i] { write_own_keys(dict, i, *notes[i]); });
  };
  for (int i = 0; i < writers; ++i) start(i);
  Random random(1);
  for (int round = 0; round < 60; ++round) {
    os::pause_ns(static_cast<std::int64_t>(random.below(8'000'000)));
    const int i = static_cast<int>(random.below(writers));
    ASSERT_EQ(children[i]->kill_and_wait(), -SIGKILL);
    ASSERT_TRUE(dict.lock());
    expect_acknowledged(dict, i, *notes[i]);
    ASSERT_EQ(unsoundness_of(dict), "") << "round " << round;
    ASSERT_TRUE(dict.unlock());
    start(i);
  }
  for (auto& child : children) ASSERT_EQ(child->kill_and_wait(), -SIGKILL);
  ASSERT_TRUE(dict.clean());
  for (int i = 0; i < writers; ++i) expect_acknowledged(dict, i, *notes[i]);
  expect_sound(dict);
  EXPECT_EQ(orphans_of(dict), "");
}

TEST(Recovery, A11_AfterAllProcessesDiedAtOnceIsDoneByTheNextToAttach) {
  const Scratch scratch;
  { (void)scratch.open(); }
  SharedNote<Writer> notes[2];
  for (int round = 0; round < 15; ++round) {
    Gate attached;
    std::unique_ptr<Child> children[2];
    for (int i = 0; i < 2; ++i) {
      children[i] = std::make_unique<Child>([&, i] {
        Dict own = scratch.open("dict", Create::never);
        attached.open();
        write_own_keys(own, i, *notes[i]);
      });
    }
    attached.wait();
    attached.wait();
    os::pause_ns(500'000 * round);
    for (auto& child : children) child->signal(SIGKILL);
    for (auto& child : children) ASSERT_EQ(child->wait(), -SIGKILL);
    const Stopwatch stopwatch;
    Dict dict = scratch.open("dict", Create::never);
    ASSERT_TRUE(dict.put("next", "goes on"));
    EXPECT_LT(stopwatch.elapsed_ns(), proceeds_within_ns);
    for (int i = 0; i < 2; ++i) expect_acknowledged(dict, i, *notes[i]);
    expect_sound(dict);
    ASSERT_TRUE(dict.clean());
    EXPECT_EQ(orphans_of(dict), "");
  }
}

TEST(Recovery, A4_AWriterKilledWhileItHoldsTheLockLeavesWhatItHadWritten) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Gate written;
  Child writer([&] {
    require(dict.lock());
    require(dict.put("a", "1"));
    require(dict.put("b", std::string(50'000, 'b')));
    written.open();
    for (;;) ::pause();
  });
  written.wait();
  writer.kill_and_wait();
  ASSERT_TRUE(dict.put("c", "3"));
  expect_content(dict, {{"a", "1"}, {"b", std::string(50'000, 'b')}, {"c", "3"}});
  EXPECT_EQ(dict.stats().recoveries, 1U);
}

TEST(Recovery, FilesThatNobodyNamesAreSweptWhateverTheirNumbers) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("key", "value"));
  const std::string table = std::to_string(ControlView(dict)->state.table_number);
  for (const std::string& name : {"entries-" + table + "-99", "entries-" + table + "-5", std::string("entries-4-0"),
                                  std::string("segment-4711"), std::string("slots-4711"), std::string("blob-4711")}) {
    write_file(directory_of(dict) + "/" + name, "left behind");
  }
  ASSERT_TRUE(dict.clean());
  EXPECT_EQ(orphans_of(dict), "");
  expect_content(dict, {{"key", "value"}});
}

TEST(Recovery, RefusesAJournalThatIsDamaged) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("a", "1"));
  {
    const ControlView control(dict);
    shared::store(control->journal.word, Word{3} | Word{12345} << 32);
  }
  EXPECT_EQ(dict.put("a", "2").code(), Code::damaged);
  EXPECT_EQ(value_of(dict, "a"), "1");
  EXPECT_FALSE(dict.has_lock());
}

}  // namespace
}  // namespace ultradict::test
