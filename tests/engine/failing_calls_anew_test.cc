// SPDX-License-Identifier: Apache-2.0
// System calls that fail where few are made: of a process that meets the files of a large dict for the first time, and
// of dicts with a bound.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "support/child.h"
#include "support/failing_call.h"
#include "support/operations.h"

namespace ultradict::test {
namespace {

constexpr std::uint64_t calls_max = 400;

// Says the error, and is no damage.
void require_says(const Status& status, int error) {
  if (status || status.code() == Code::not_found) return;
  const std::string message = status.message();
  const bool says = message.find(std::generic_category().message(error)) != message.npos;
  EXPECT_TRUE(says) << static_cast<int>(status.code()) << " '" << message << "'";
  EXPECT_NE(status.code(), Code::damaged) << message;
}

// More than control has room for: slots, entries and segments in files of their own, one of each kind that grows.
Dict large_dict(const Scratch& scratch) {
  Options options = scratch.options();
  options.buffer_size = page_size;
  Dict dict = scratch.open("large", options);
  for (int i = 0; i < 600; ++i) EXPECT_TRUE(dict.put(key(i), std::string(100, 'v')));
  Dict child;
  EXPECT_TRUE(dict.put_new_child("child", &child));
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(child.put(key(i), std::string(100, 'c')));
  EXPECT_TRUE(dict.put("blob", std::string(40'000, 'b')));
  for (int i = 100; i < 120; ++i) EXPECT_TRUE(dict.erase(key(i)));
  return dict;
}

Status walk(const Dict& dict, Cursor::Direction direction) {
  Cursor cursor(dict, direction);
  Sighting seen;
  Buffer buffer;
  Record record;
  Status status;
  while ((status = cursor.next(&seen, &buffer, &record))) {
  }
  return status;
}

Status walk_by_keys(const Dict& dict) {
  Cursor cursor(dict);
  Passed passed[64];
  std::size_t count = 0;
  std::uint64_t table = 0;
  Status status;
  while ((status = cursor.next_some(passed, &count, &table))) {
  }
  return status;
}

Status follow(const Dict& dict, Progress progress) {
  std::vector<Sighting> changed;
  return dict.changes(&progress, &changed);
}

Status put_many(Dict& dict) {
  std::vector<std::string> keys;
  for (int i = 590; i < 640; ++i) keys.push_back(key(i));
  std::vector<Item> items;
  for (const std::string& name : keys) items.push_back({Key{name}, name});
  return dict.put_all(items);
}

Status in_child_dict(Dict& dict, const std::function<Status(Dict&)>& run) {
  Dict child;
  if (Status status = dict.open_child("child", &child); !status) return status;
  return run(child);
}

Status get(const Dict& dict, const char* name) {
  std::string value;
  return dict.get(name, &value);
}

std::vector<NamedOperation> first_meetings(const Progress& progress) {
  return {
      {"get", [](Dict& dict) { return get(dict, "k590"); }},
      {"blob", [](Dict& dict) { return get(dict, "blob"); }},
      {"walk", [](Dict& dict) { return walk(dict, Cursor::Direction::forward); }},
      {"walk_backward", [](Dict& dict) { return walk(dict, Cursor::Direction::backward); }},
      {"walk_by_keys", [](Dict& dict) { return walk_by_keys(dict); }},
      {"follow", [progress](Dict& dict) { return follow(dict, progress); }},
      {"walk_child",
       [](Dict& dict) {
         return in_child_dict(dict, [](Dict& child) { return walk(child, Cursor::Direction::forward); });
       }},
      {"follow_child",
       [progress](Dict& dict) { return in_child_dict(dict, [&](Dict& child) { return follow(child, progress); }); }},
      {"insert", [](Dict& dict) { return dict.put("new", "value"); }},
      {"overwrite", [](Dict& dict) { return dict.put("k595", "value"); }},
      {"overwrite_by_a_blob", [](Dict& dict) { return dict.put("k595", std::string(40'000, 'w')); }},
      {"erase", [](Dict& dict) { return dict.erase("k300"); }},
      {"put_many", [](Dict& dict) { return put_many(dict); }},
      {"insert_in_child",
       [](Dict& dict) { return in_child_dict(dict, [](Dict& child) { return child.put("new", "value"); }); }},
      {"erase_in_child",
       [](Dict& dict) { return in_child_dict(dict, [](Dict& child) { return child.erase("k150"); }); }},
      {"clear_child", [](Dict& dict) { return in_child_dict(dict, [](Dict& child) { return child.clear(); }); }},
      {"put_new_child",
       [](Dict& dict) {
         Dict child;
         return dict.put_new_child("k40", &child);
       }},
      {"erase_child", [](Dict& dict) { return dict.erase("child"); }},
      {"clean", [](Dict& dict) { return dict.clean(); }},
      {"dump", [](Dict& dict) { return dict.dump(); }},
      {"clear", [](Dict& dict) { return dict.clear(); }},
  };
}

// The files of the dict are mapped when they are first needed: by a process that just came, in the operation itself.
TEST(FailingCallOfANewcomer, D5_IsToldAndNothingIsHalfDone) {
  if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be made to fail here";
  for (const NamedCall& call : {NamedCall{SYS_mmap, "mmap"}, NamedCall{SYS_openat, "openat"}}) {
    const Scratch scratch;
    Dict dict = large_dict(scratch);
    Progress progress;
    std::vector<Sighting> changed;
    ASSERT_EQ(dict.changes(&progress, &changed).code(), Code::changed);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(dict.put(key(i * 29), "followed"));
    const auto operations = first_meetings(progress);
    for (const NamedOperation& operation : operations) {
      EXPECT_EQ(in_child([&] {
                  prepare_failing_calls();
                  std::uint64_t failed = 1;
                  for (std::uint64_t number = 1; failed > 0 && number < calls_max; ++number) {
                    SCOPED_TRACE(operation.name + ", " + call.name + " " + std::to_string(number));
                    Dict own = scratch.open("large", Create::never);
                    {
                      const FailingCall failing(call.number, ENOMEM, number, true);
                      require_says(operation.run(own), ENOMEM);
                      failed = FailingCall::failed();
                    }
                    EXPECT_EQ(own.owner().number, 0U);
                    EXPECT_EQ(unsoundness_of(own), "");
                    require(!testing::Test::HasFailure());
                  }
                }),
                0)
          << operation.name;
    }
  }
}

class FailingCallUnderABound : public testing::TestWithParam<NamedCall> {};

// The file that holds what is left of max_bytes can fail as any other.
TEST_P(FailingCallUnderABound, D5_IsToldAndNothingIsHalfDone) {
  if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be made to fail here";
  EXPECT_EQ(in_child([&] {
              prepare_failing_calls();
              for (const char* name : {"put_large", "put_all", "clear"}) {
                const auto& all = operations();
                const auto operation =
                    std::find_if(all.begin(), all.end(), [&](const auto& of) { return of.name == name; });
                DisturbedOperation disturbed(*operation, 4 << 20);
                std::uint64_t failed = 1;
                for (std::uint64_t number = 1; failed > 0 && number < calls_max; ++number) {
                  SCOPED_TRACE(std::string(name) + " " + std::to_string(number));
                  disturbed.run(
                      [&](const std::function<Status()>& run) {
                        const FailingCall failing(GetParam().number, EIO, number, true);
                        Status status = run();
                        failed = FailingCall::failed();
                        return status;
                      },
                      true);
                  require(!testing::Test::HasFailure());
                }
              }
            }),
            0);
}

INSTANTIATE_TEST_SUITE_P(Call, FailingCallUnderABound,
                         testing::Values(NamedCall{SYS_openat, "openat"}, NamedCall{SYS_ftruncate, "ftruncate"},
                                         NamedCall{SYS_newfstatat, "fstat"}, NamedCall{SYS_fallocate, "fallocate"},
                                         NamedCall{SYS_getdents64, "getdents64"}),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace ultradict::test
