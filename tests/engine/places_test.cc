// SPDX-License-Identifier: Apache-2.0
// Where dicts are kept, who may look into them, what a name can be, and which error is which refusal.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "support/child.h"
#include "support/content.h"
#include "support/failing_call.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

TEST(Places, TheEnvironmentChoosesWhereNobodySays) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              require(::setenv("ULTRADICT_DIR", scratch.path().c_str(), 1) == 0);
              Dict dict;
              Options options;
              options.auto_unlink = false;
              require(Dict::open("dict", options, &dict));
              require(dict.options().directory == scratch.path());
            }),
            0);
  EXPECT_TRUE(exists(scratch));
}

TEST(Places, ASlashAtTheEndMakesNoOther) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Options options = scratch.options(Create::never);
  options.directory += "//";
  Dict other;
  ASSERT_TRUE(Dict::open("dict", options, &other));
  EXPECT_EQ(other.id(), dict.id());
}

TEST(Places, AFileOrALinkInThePlaceIsRefused) {
  const Scratch scratch;
  const std::string path = scratch.path() + "/place";
  write_file(path, "a file");
  Options options = scratch.options();
  options.directory = path;
  Dict dict;
  EXPECT_EQ(Dict::open("dict", options, &dict).code(), Code::forbidden);
  options.directory = path + "/below";
  EXPECT_EQ(Dict::open("dict", options, &dict).code(), Code::os_error);
  options.directory = path;
  std::filesystem::remove(path);
  std::filesystem::create_directory_symlink(scratch.path(), path);
  EXPECT_EQ(Dict::open("dict", options, &dict).code(), Code::forbidden);
  options.directory = scratch.path() + "/not/there";
  const Status status = Dict::open("dict", options, &dict);
  EXPECT_EQ(status.code(), Code::os_error) << status.message();
}

TEST(Places, FilesHaveTheModeThatWasAskedForWhateverTheUmask) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              ::umask(0077);
              Options options = scratch.options();
              options.mode = 0640;
              Dict dict = scratch.open("dict", options);
              require(dict.put("blob", std::string(40'000, 'b')));
              for (const auto& entry : std::filesystem::directory_iterator(directory_of(dict))) {
                require((entry.status().permissions() & std::filesystem::perms::mask) ==
                        static_cast<std::filesystem::perms>(0640));
              }
            }),
            0);
}

TEST(Places, AModeThatKeepsTheOwnerOutIsRefused) {
  const Scratch scratch;
  for (const unsigned mode : {0U, 0077U, 0400U, 0200U, 01600U}) {
    Options options = scratch.options();
    options.mode = mode;
    Dict dict;
    EXPECT_EQ(Dict::open("dict", options, &dict).code(), Code::invalid_argument) << mode;
  }
}

TEST(Names, OfNestedDictsThatAreNone) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict child;
  ASSERT_TRUE(dict.put_new_child("child", &child));
  const std::string name = child.name();
  const std::string root = name.substr(0, name.find('-'));
  Dict opened;
  ASSERT_TRUE(Dict::open(name, scratch.options(Create::never), &opened));
  EXPECT_EQ(Dict::open(name, scratch.options(Create::always), &opened).code(), Code::already_exists);
  for (const std::string& wrong : {root, root + "1-1", root + "-1", root + "-x-1", root + "-1-", root + "-0-1",
                                   root + "-1-1-1", name + "x", std::string("dict/short-1-1")}) {
    EXPECT_EQ(Dict::open(wrong, scratch.options(Create::never), &opened).code(), Code::invalid_argument) << wrong;
    EXPECT_FALSE(opened.is_open());
  }
  std::string other = name;
  other[other.find('/') + 1] = other[other.find('/') + 1] == '0' ? '1' : '0';
  EXPECT_FALSE(Dict::open(other, scratch.options(Create::never), &opened));
}

TEST(Names, ThatNoFileCanHave) {
  const Scratch scratch;
  const std::string with_nul("a\0b", 3);
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("a/b"), with_nul,
                                  std::string(name_size_max + 1, 'x')}) {
    Dict dict;
    EXPECT_EQ(Dict::open(name, scratch.options(), &dict).code(), Code::invalid_argument) << name;
    EXPECT_EQ(Dict::unlink(name, scratch.path()).code(), Code::invalid_argument) << name;
  }
}

TEST(Places, ARelativeDirectoryOfOneThatIsGone) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              const std::string gone = scratch.path() + "/gone";
              require(::mkdir(gone.c_str(), 0700) == 0 && ::chdir(gone.c_str()) == 0 && ::rmdir(gone.c_str()) == 0);
              Options options = scratch.options();
              options.directory = "below";
              Dict dict;
              const Status status = Dict::open("dict", options, &dict);
              require(status.code() == Code::os_error);
              require(status.message().find("working directory") != std::string::npos);
            }),
            0);
}

TEST(Names, ThatLeadElsewhere) {
  const Scratch scratch;
  Dict dict = scratch.open();
  std::filesystem::create_symlink(dict.id(), scratch.path() + "/n/other");
  std::filesystem::create_symlink(std::string(32, 'z'), scratch.path() + "/n/none");
  Dict opened;
  EXPECT_FALSE(Dict::open("other", scratch.options(Create::never), &opened));
  EXPECT_EQ(Dict::open("none", scratch.options(Create::never), &opened).code(), Code::damaged);
  ASSERT_TRUE(dict.close());
  EXPECT_FALSE(Dict::open("other", scratch.options(Create::never), &opened));
  EXPECT_TRUE(exists(scratch));
}

TEST(Places, WhatADeadBuilderDidNotLeaveIsNotRemoved) {
  const Scratch scratch;
  ASSERT_TRUE(scratch.open().close());
  // Some name a number that no participant has: the token file has other locks at such bytes, or none.
  const std::string strays[] = {"new-stray", "new-0-1-x", "new-65536-1-x", "new-70000-1-x", "new-16777215-1-x"};
  for (const std::string& stray : strays) std::filesystem::create_directory(scratch.path() + "/d/" + stray);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(scratch.open("sweeper", scratch.mortal(Create::always)).close());
  for (const std::string& stray : strays) EXPECT_TRUE(std::filesystem::exists(scratch.path() + "/d/" + stray)) << stray;
}

TEST(Places, F2_ALinkInThePlaceOfWhatADeadBuilderLeftGoesAndNotWhatItLeadsTo) {
  const Scratch scratch, victim;
  write_file(victim.path() + "/kept", "kept");
  ASSERT_TRUE(scratch.open().close());                                // makes the place
  const std::string link = scratch.path() + "/d/new-1-4000000000-0";  // no process has that generation
  std::filesystem::create_symlink(victim.path(), link);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(scratch.open("sweeper", scratch.mortal(Create::always)).close());
  EXPECT_FALSE(std::filesystem::is_symlink(link));
  EXPECT_EQ(read_file(victim.path() + "/kept"), "kept");
}

TEST(Places, OfACrowdOfDeadDictsNoneStays) {
  for (int round = 0; round < 3; ++round) {
    const Scratch scratch;
    EXPECT_EQ(in_child([&] {
                std::vector<Dict> crowd;
                for (int i = 0; i < 20; ++i) crowd.push_back(scratch.open("d" + std::to_string(i), scratch.mortal()));
                ::_exit(7);
              }),
              7);
    Dict dict = scratch.open("new");
    EXPECT_EQ(dicts_in(scratch), 1U);
  }
}

TEST(Recovery, IsToldToWhoDidItAndNotToItsChild) {
  const Scratch scratch;
  Dict dict = scratch.open();
  EXPECT_EQ(in_child([&] { require(dict.lock()); }), 0);
  EXPECT_EQ(in_child([&] {
              require(dict.put("k", "v"));
              require(dict.has_recovery());
              require(in_child([&] {
                        std::int32_t pid = 0;
                        require(!dict.take_recovery(&pid));
                      }) == 0);
              std::int32_t pid = 0;
              require(dict.take_recovery(&pid));  // its pid may be forgotten: its number is ours by now
            }),
            0);
  Dict child;
  ASSERT_TRUE(dict.put_new_child("n", &child));
  EXPECT_EQ(dict.children_ended(), 0U);
  ASSERT_TRUE(dict.erase("n"));
  EXPECT_EQ(dict.children_ended(), 1U);
}

// What a stranger does to the file that holds the rest of max_bytes is noticed, and put right when memory is short.
TEST(Bound, IsCountedAnewFromTheFilesThatAreThere) {
  const Scratch scratch;
  Options options = scratch.options();
  options.max_bytes = 2 << 20;
  Dict dict = scratch.open("dict", options);
  const std::string budget = directory_of(dict) + "/budget";
  const std::uint64_t left = std::filesystem::file_size(budget);
  const std::string huge(4 << 20, 'h');
  std::filesystem::resize_file(budget, left + (1 << 20));
  EXPECT_FALSE(dict.check().sound());
  EXPECT_EQ(dict.put("k", huge).code(), Code::memory_full);
  EXPECT_TRUE(dict.check().sound());
  EXPECT_LE(std::filesystem::file_size(budget), left);
  const std::string stray = directory_of(dict) + "/blob-9999999";
  write_file(stray, huge);
  EXPECT_FALSE(dict.check().sound());
  std::filesystem::remove(stray);
  std::filesystem::remove(budget);
  EXPECT_FALSE(dict.put("k", huge));
  EXPECT_EQ(dict.stats().free_bytes, 0U);
  ASSERT_TRUE(dict.put("small", "v"));
}

struct Refusal {
  int error;
  Code code;
};

TEST(Errors, OfTheKernelAreWhatPeopleCanDoAbout) {
  if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be made to fail here";
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              prepare_failing_calls();
              for (const Refusal& refusal :
                   {Refusal{ENOSPC, Code::memory_full}, Refusal{EDQUOT, Code::memory_full},
                    Refusal{EFBIG, Code::memory_full}, Refusal{EACCES, Code::forbidden},
                    Refusal{EPERM, Code::forbidden}, Refusal{EROFS, Code::forbidden}, Refusal{EIO, Code::os_error}}) {
                Dict dict;
                Status status;
                {
                  const FailingCall failing(SYS_fallocate, refusal.error, 1, true);
                  status = Dict::open("dict", scratch.options(), &dict);
                }
                require(status.code() == refusal.code);
                require(status.message().find("llocat") != std::string::npos);
              }
              require(dicts_in(scratch) == 0);
            }),
            0);
}

// A signal may interrupt any of them: it is done again, and nobody is told.
TEST(Errors, ACallThatASignalInterruptsIsDoneAgain) {
  if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be made to fail here";
  const Scratch scratch;
  const std::string large(40'000, 'l');
  EXPECT_EQ(in_child([&] {
              prepare_failing_calls();
              for (const long call : {SYS_pread64, SYS_pwrite64, SYS_getrandom, SYS_fallocate}) {
                for (std::uint64_t number = 1, failed = 1; failed > 0; ++number) {
                  const FailingCall failing(call, EINTR, number, false);
                  Dict dict;
                  require(Dict::open("dict", scratch.options(), &dict));
                  require(dict.put("k", large));
                  require(value_of(dict, "k") == large);
                  require(dict.unlink());
                  failed = FailingCall::failed();
                }
              }
            }),
            0);
}

// Who attaches, takes the lock of a dead one or is a new participant needs the file of tokens.
TEST(Errors, OfTheTokenFileLeaveTheDictAsItIs) {
  if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be made to fail here";
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", "v"));
  for (const long call : {SYS_openat, SYS_fcntl, SYS_pread64, SYS_newfstatat}) {
    for (std::uint64_t number = 1, failed = 1; failed > 0 && number < 60; ++number) {
      EXPECT_EQ(in_child([&] { require(dict.lock()); }), 0);  // and dies with it
      SharedNote<std::uint64_t> note;
      EXPECT_EQ(in_child([&] {
                  prepare_failing_calls();
                  const FailingCall failing(call, EIO, number, true);
                  const Status status = dict.put("k", "w");
                  const bool says = status.message().find(std::strerror(EIO)) != std::string::npos;
                  require(status || says);
                  *note = FailingCall::failed();
                }),
                0)
          << call << " " << number;
      failed = *note;
      const std::string value = value_of(dict, "k");
      EXPECT_TRUE(value == "v" || value == "w") << value;
      expect_sound(dict);
    }
  }
}

}  // namespace
}  // namespace ultradict::test
