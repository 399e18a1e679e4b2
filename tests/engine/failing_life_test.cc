// SPDX-License-Identifier: Apache-2.0
// System calls that fail in the life of a dict with everything set: a bound, memory set aside, an end with its creator;
// and of who finds the lock of a dead one.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cerrno>
#include <system_error>

#include "support/child.h"
#include "support/failing_call.h"
#include "support/operations.h"

namespace ultradict::test {
namespace {

constexpr std::uint64_t calls_max = 300;

bool says(const Status& status, int error) {
  const bool named = status.message().find(std::generic_category().message(error)) != std::string::npos;
  return status || named || status.code() == Code::unsupported;
}

void live_with_everything_set(const Scratch& scratch, bool is_bounded) {
  Options options = scratch.mortal(Create::if_missing);
  options.full_dump_size = 300'000;
  options.max_bytes = is_bounded ? 4 << 20 : 0;
  Dict dict;
  const Status opened = Dict::open("dict", options, &dict);
  require(says(opened, EIO));
  if (!opened) return;
  require(says(dict.put("k", "v"), EIO));
  (void)dict.stats();
  (void)dict.close();
}

TEST(FailingCallInALife, D5_OfADictWithEverythingSet) {
  if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be made to fail here";
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              prepare_failing_calls();
              for (const NamedCall& call : failing_calls) {
                for (const bool is_bounded : {false, true}) {
                  for (const bool and_all_after : {false, true}) {
                    for (std::uint64_t number = 1, failed = 1; failed > 0 && number < calls_max; ++number) {
                      {
                        const FailingCall failing(call.number, EIO, number, and_all_after);
                        live_with_everything_set(scratch, is_bounded);
                        failed = FailingCall::failed();
                      }
                      Dict dict;
                      require(Dict::open("dict", scratch.options(Create::if_missing), &dict));
                      require(unsoundness_of(dict).empty());
                      require(dict.unlink());
                    }
                  }
                }
              }
            }),
            0);
}

// Each needs the lock, and so to know that its owner is dead.
std::vector<std::function<Status(Dict&)>> writes(const Sighting& seen) {
  static const std::string large(40'000, 'l');
  return {
      [=](Dict& dict) {
        Sighting own = seen;
        return dict.put_at(&own, "w");
      },
      [=](Dict& dict) {
        Sighting own = seen;
        return dict.put_at(&own, large);
      },
      [](Dict& dict) { return dict.put("k", large); },
      [](Dict& dict) {
        const Bytes parts[] = {large};
        StagedValue staged;
        if (Status status = dict.stage(parts, &staged); !status) return status;
        return dict.put(Key{"k"}, &staged, nullptr);
      },
      [=](Dict& dict) {
        const Bytes parts[] = {large};
        StagedValue staged;
        Sighting own = seen;
        if (Status status = dict.stage(parts, &staged); !status) return status;
        return dict.put_at(&own, &staged);
      },
      [](Dict& dict) {
        Dict child;
        if (Status status = dict.open_child("child", &child); !status) return status;
        return dict.put_child(Key{"k"}, child);
      },
      [](Dict& dict) {
        const Item items[] = {{Key{"k"}, "w"}, {Key{"l"}, large}};
        return dict.put_all(items);
      },
      [](Dict& dict) { return dict.clear(); },
  };
}

TEST(FailingCallBesideADeadOwner, D5_IsToldAndTheNextOneGoesOn) {
  if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be made to fail here";
  for (const std::uint64_t max_bytes : {0, 4 << 20}) {
    const Scratch scratch;
    Options options = scratch.options();
    options.max_bytes = max_bytes;
    Dict dict = scratch.open("dict", options);
    Sighting seen;
    ASSERT_TRUE(dict.put(Key{"k"}, "v", &seen));
    Dict child;
    ASSERT_TRUE(dict.put_new_child("child", &child));
    for (const auto& write : writes(seen)) {
      EXPECT_EQ(in_child([&] { require(dict.lock()); }), 0);  // and dies with it
      EXPECT_EQ(in_child([&] {
                  require(!dict.is_creator());
                  require(dict.lock(Wait{0}).code() != Code::closed && dict.unlock());
                }),
                0);
      EXPECT_EQ(in_child([&] { require(dict.lock()); }), 0);
      EXPECT_EQ(in_child([&] {
                  (void)dict.contains("k");
                  prepare_failing_calls();
                  const FailingCall failing(SYS_fcntl, EIO, 2, true);
                  const Status status = write(dict);
                  require(says(status, EIO));
                }),
                0);
      expect_sound(dict);
      EXPECT_EQ(orphans_of(dict), "");
      EXPECT_NE(value_of(dict, "k"), "");
    }
  }
}

}  // namespace
}  // namespace ultradict::test
