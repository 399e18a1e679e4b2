// SPDX-License-Identifier: Apache-2.0
// System calls that fail, one or all from then on, with every error that they may have: the operation is done or not
// done, and says what failed; no crash, no hang, nothing left over.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>

#include "support/child.h"
#include "support/failing_call.h"
#include "support/mappings.h"
#include "support/operations.h"
#include "support/scale.h"

namespace ultradict::test {
namespace {

constexpr std::uint64_t calls_max = 10'000;

std::vector<int> errors_of(long call) {
  std::vector<int> errors{ENOMEM, EIO, EMFILE};
  if (is_stressed()) errors = {ENOMEM, ENOSPC, EMFILE, ENFILE, EINTR, EACCES, EPERM, EIO, EINVAL, ENOSYS, EDQUOT};
  // Where it says something: somebody else has the lock; it is no link.
  std::erase_if(errors, [&](int error) {
    return (call == SYS_fcntl && error == EACCES) || (call == SYS_readlink && error == EINVAL);
  });
  return errors;
}

// What is said names the error, or what the kernel must be able to do.
void expect_says(const Status& status, int error) {
  if (status) return;
  const std::string message = status.message();
  const bool says = message.find(std::generic_category().message(error)) != message.npos;
  EXPECT_TRUE(says || status.code() == Code::unsupported) << static_cast<int>(status.code()) << " '" << message << "'";
  EXPECT_NE(status.code(), Code::damaged) << message;
}

// Calls visit(call, error, and_all_after) for all there are.
template <typename Visit>
void for_each_failure(const Visit& visit) {
  for (const NamedCall& call : failing_calls) {
    for (const int error : errors_of(call.number)) {
      visit(call, error, false);
      if (error != EINTR) visit(call, error, true);  // what is asked anew would be so for ever
    }
  }
}

std::string name_of(const NamedCall& call, int error, std::uint64_t number, bool and_all_after) {
  return std::string(call.name) + " " + std::to_string(number) + (and_all_after ? " and all after it: " : ": ") +
         std::generic_category().message(error);
}

// In a child, of which there is no way back; what fails there is told by it.
void in_failing_child(const std::function<void()>& body) {
  if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be made to fail here";
  EXPECT_EQ(in_child([&] {
              prepare_failing_calls();
              body();
              require(!testing::Test::HasFailure());
            }),
            0);
}

class FailingCallIn : public testing::TestWithParam<NamedOperation> {};

TEST_P(FailingCallIn, D5_OnceAndAlwaysWithEachError) {
  in_failing_child([] {
    DisturbedOperation operation(GetParam());
    for_each_failure([&](const NamedCall& call, int error, bool and_all_after) {
      std::uint64_t failed = 1;
      for (std::uint64_t number = 1; failed > 0 && number < calls_max && !HasFailure(); ++number) {
        SCOPED_TRACE(name_of(call, error, number, and_all_after));
        ::alarm(child_seconds_max);  // for each
        operation.run(
            [&](const std::function<Status()>& run) {
              Status status;
              {
                const FailingCall failing(call.number, error, number, and_all_after);
                status = run();
              }
              failed = FailingCall::failed();
              expect_says(status, error);
              return status;
            },
            call.number == SYS_unlink);
      }
    });
  });
}

INSTANTIATE_TEST_SUITE_P(Operation, FailingCallIn, testing::ValuesIn(operations()),
                         [](const auto& of) { return of.param.name; });

// Created or attached to, written to, closed, unlinked.
void live(const Scratch& scratch, bool is_there, const NamedCall& call, int error, std::uint64_t number,
          bool and_all_after) {
  const std::size_t descriptors = open_descriptors();
  EXPECT_TRUE(!is_there || scratch.open("dict").put("there", "v"));
  {
    const FailingCall failing(call.number, error, number, and_all_after);
    Dict dict;
    const Status opened = Dict::open("dict", scratch.options(), &dict);
    expect_says(opened, error);
    if (opened) expect_says(dict.put("k", "v"), error);
    expect_says(dict.close(), error);
    Status unlinked = Dict::unlink("dict", scratch.path());
    if (unlinked.code() != Code::no_such_dict) expect_says(unlinked, error);
  }
  EXPECT_EQ(open_descriptors(), descriptors);
  Dict dict = scratch.open("dict");
  EXPECT_TRUE(dict.put("k", "v"));
  expect_sound(dict);
  EXPECT_TRUE(dict.unlink());
  EXPECT_TRUE(dict.close());
  for (int sweep = 0; sweep < 3 && dicts_in(scratch) != 0; ++sweep) {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(scratch.open("sweeper", scratch.mortal(Create::always)).close());
  }
  EXPECT_EQ(dicts_in(scratch), 0U);
}

TEST(FailingCallInALife, D5_OnceAndAlwaysWithEachError) {
  const Scratch scratch;
  in_failing_child([&] {
    for_each_failure([&](const NamedCall& call, int error, bool and_all_after) {
      for (const bool is_there : {false, true}) {
        std::uint64_t failed = 1;
        for (std::uint64_t number = 1; failed > 0 && number < calls_max && !HasFailure(); ++number) {
          SCOPED_TRACE(name_of(call, error, number, and_all_after));
          ::alarm(child_seconds_max);  // for each
          live(scratch, is_there, call, error, number, and_all_after);
          failed = FailingCall::failed();
        }
      }
    });
  });
}

// A futex that does not let anybody sleep: who waits gets the lock all the same. The owner's thread is there before
// calls fail, so that its own do not.
TEST(FailingCallInAWait, D5_WhoCannotSleepGetsTheLockAllTheSame) {
  if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be made to fail here";
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              Dict dict = scratch.open();
              Gate taken;
              std::atomic<bool> waits = false;
              std::thread owner([&] {
                require(dict.lock());
                taken.open();
                while (!waits) std::this_thread::yield();
                require(dict.unlock());
              });
              taken.wait();
              prepare_failing_calls();
              const FailingCall failing(SYS_futex, ENOSYS, 1, true);
              while (dict.lock(Wait{1'000'000}).code() == Code::lock_timeout) waits = FailingCall::failed() > 0;
              require(dict.unlock());
              require(FailingCall::failed() > 0);
              owner.join();
              require(dict.check().sound());
            }),
            0);
}

}  // namespace
}  // namespace ultradict::test
