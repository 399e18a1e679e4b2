// SPDX-License-Identifier: Apache-2.0
// Memory of the process that comes to an end: each single allocation of each operation fails, it alone or with all that
// follow. The operation is done or not done, and says so; the lock is free, and the next one goes on.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <new>
#include <vector>

#include "support/operations.h"

namespace {

// Of this thread: how many allocations are granted until one is not; below 0 for ever.
thread_local long granted = -1;
thread_local bool fails_on = false;  // those after it are not granted either
thread_local long refused = 0;

bool is_refused() {
  if (granted < 0) return false;
  if (granted > 0) return --granted, false;
  if (!fails_on) granted = -1;
  ++refused;
  return true;
}

void* allocate(std::size_t size) { return is_refused() ? nullptr : std::malloc(size == 0 ? 1 : size); }

}  // namespace

// For this whole program. Not inlined: the compiler would see malloc meet delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const memory = allocate(size);
  if (!memory) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void* operator new[](std::size_t size) { return operator new(size); }
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
[[gnu::noinline]] void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace ultradict::test {
namespace {

// The allocations of a scope, in which the `number`-th fails, counted from 0.
class Failing {
 public:
  Failing(long number, bool and_all_after) {
    refused = 0;
    fails_on = and_all_after;
    granted = number;
  }
  ~Failing() { granted = -1; }
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;
};

Status with_failing(long number, bool and_all_after, const std::function<Status()>& run) try {
  const Failing failing(number, and_all_after);
  return run();
} catch (const std::bad_alloc&) {
  return Status(Code::memory_full);
}

constexpr long allocations_max = 10'000;

class Allocation : public testing::TestWithParam<NamedOperation> {};

TEST_P(Allocation, D6_EachOneFailsOnceAndAlways) {
  for (const std::uint64_t max_bytes : {std::uint64_t{0}, std::uint64_t{4} << 20}) {
    DisturbedOperation operation(GetParam(), max_bytes);
    for (const bool and_all_after : {false, true}) {
      long number = 0;
      for (long failed = 1; failed > 0 && number < allocations_max && !HasFailure(); ++number) {
        SCOPED_TRACE("allocation " + std::to_string(number) + (and_all_after ? " and all after it" : ""));
        operation.run([&](const std::function<Status()>& run) {
          Status status = with_failing(number, and_all_after, run);
          failed = refused;
          EXPECT_TRUE(status || status.code() == Code::memory_full) << status.message();
          return status;
        });
      }
      EXPECT_LT(number, allocations_max);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Allocation, testing::ValuesIn(operations()), [](const auto& of) { return of.param.name; });

// Opens it, created or attached to, and closes it; or neither.
TEST(AllocationInALife, D6_EachOneFailsOnceAndAlways) {
  const Scratch scratch;
  for (const bool is_there : {false, true}) {
    for (const bool and_all_after : {false, true}) {
      long number = 0;
      for (long failed = 1; failed > 0 && number < allocations_max && !HasFailure(); ++number) {
        SCOPED_TRACE("allocation " + std::to_string(number));
        if (is_there) (void)scratch.open("dict");
        Dict dict;
        const Options options = scratch.options();
        const Status status = with_failing(number, and_all_after, [&] {
          Status opened = Dict::open("dict", options, &dict);
          if (opened) opened = dict.put("k", "v");
          return dict.close() ? std::move(opened) : dict.close();
        });
        failed = refused;
        EXPECT_FALSE(dict.is_open());
        dict = scratch.open("dict");
        EXPECT_TRUE(status || dict.count() <= 1);
        EXPECT_TRUE(dict.put("k", "v"));
        expect_content(dict, {{"k", "v"}});
        EXPECT_TRUE(dict.unlink());
        EXPECT_TRUE(dict.close());
        EXPECT_EQ(dicts_in(scratch), 0U);
      }
    }
  }
}

// What a fork or the end of the process does with all dicts must not need memory: nobody could be told.
TEST(AllocationInALife, D6_ForkAndExitNeedNone) {
  const Scratch scratch;
  std::vector<Dict> dicts;
  for (int i = 0; i < 20; ++i) dicts.push_back(scratch.open("dict" + std::to_string(i)));
  for (int round = 0; round < 2; ++round) {
    pid_t child = -1;
    {
      const Failing failing(0, true);
      child = ::fork();
      if (child == 0) {
        Dict::leave_all();
        ::_exit(0);
      }
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
}

}  // namespace
}  // namespace ultradict::test
