// SPDX-License-Identifier: Apache-2.0
#include "store/life.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <thread>

#include "os/directory_lock.h"
#include "os/futex.h"
#include "support/child.h"
#include "support/content.h"
#include "support/mappings.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

namespace fs = std::filesystem;

Code open_code(const Scratch& scratch, const std::string& name, Create create) {
  Dict dict;
  return Dict::open(name, scratch.options(create), &dict).code();
}

TEST(Life, CreateDecidesWhetherItMayExist) {
  const Scratch scratch;
  EXPECT_EQ(open_code(scratch, "dict", Create::never), Code::no_such_dict);
  EXPECT_EQ(open_code(scratch, "dict", Create::always), Code::ok);
  EXPECT_EQ(open_code(scratch, "dict", Create::always), Code::already_exists);
  EXPECT_EQ(open_code(scratch, "dict", Create::never), Code::ok);
  EXPECT_EQ(open_code(scratch, "dict", Create::if_missing), Code::ok);
  const Dict open = scratch.open();
  EXPECT_EQ(open_code(scratch, "dict", Create::always), Code::already_exists);
}

TEST(Life, F7_NamesThatCannotBeAreRefused) {
  const Scratch scratch;
  for (const std::string& name :
       {std::string(), std::string("a/b"), std::string("a\0b", 3), std::string("."), std::string(".."),
        std::string(256, 'x'), std::string(300, 'x'), std::string("../../etc/passwd")}) {
    EXPECT_EQ(open_code(scratch, name, Create::if_missing), Code::invalid_argument) << name;
    EXPECT_EQ(Dict::unlink(name, scratch.path()).code(), Code::invalid_argument) << name;
  }
  for (const std::string& name : {std::string(255, 'x'), std::string("\xf0\x9f\x90\x8d"), std::string("..."),
                                  std::string(" -rf *\n"), std::string("new-1-1-1")}) {
    EXPECT_EQ(open_code(scratch, name, Create::always), Code::ok) << name;
    EXPECT_TRUE(Dict::unlink(name, scratch.path())) << name;
  }
  EXPECT_EQ(dicts_in(scratch), 0U);
}

TEST(Life, OptionsThatCannotBeAreRefused) {
  const Scratch scratch;
  Options options = scratch.options();
  Dict dict;
  options.buffer_size = 1ULL << 32;
  EXPECT_EQ(Dict::open("dict", options, &dict).code(), Code::invalid_argument);
  options.buffer_size = 0;
  options.attributes.assign(attributes_size_max + 1, 'a');
  EXPECT_EQ(Dict::open("dict", options, &dict).code(), Code::invalid_argument);
  EXPECT_FALSE(dict.is_open());
  options.attributes.pop_back();
  EXPECT_TRUE(Dict::open("dict", options, &dict));
  EXPECT_EQ(dict.attributes(), options.attributes);
}

TEST(Life, ARefusalSaysTheBoundAndOnWhichSideOfItIsRight) {
  const Scratch scratch;
  Options options = scratch.options();
  Dict dict;
  const auto says = [&](const std::string& name, const std::string& text) {
    const std::string message = Dict::open(name, options, &dict).message();
    EXPECT_NE(message.find(text), std::string::npos) << message;
  };
  says(std::string(300, 'x'), "(300, at most 255)");
  options.max_bytes = 1000;
  says("dict", "(1000, at least 65536)");
}

TEST(Life, WhoAttachesTakesTheCreatorsOptions) {
  const Scratch scratch;
  Options options = scratch.options();
  options.buffer_size = 123'456;
  options.full_dump_size = 999;
  options.attributes = std::string("some\0thing", 10);
  const Dict dict = scratch.open("dict", options);
  EXPECT_TRUE(dict.is_creator());
  EXPECT_EQ(in_child([&] {
              const Dict own = scratch.open();
              require(!own.is_creator());
              require(own.name() == "dict" && own.id() == dict.id());
              require(own.attributes() == options.attributes);
              require(own.options().buffer_size == 123'456 && own.options().full_dump_size == 999);
              require(!own.options().auto_unlink && own.options().mode == 0600);
            }),
            0);
}

TEST(Life, F4_FilesHaveExactlyTheirModeWhateverTheUmask) {
  for (const unsigned mask : {0U, 077U, 0777U}) {
    const Scratch scratch;
    EXPECT_EQ(in_child([&] {
                ::umask(mask);
                Dict dict = scratch.open();
                for (int i = 0; i < 2000; ++i) require(dict.put("k" + std::to_string(i), std::string(500, 'v')));
                require(dict.put("blob", std::string(50'000, 'v')));
                for (const auto& entry : fs::directory_iterator(directory_of(dict))) {
                  struct stat status {};
                  require(::stat(entry.path().c_str(), &status) == 0 && (status.st_mode & 07777) == 0600);
                }
              }),
              0)
        << mask;
  }
}

TEST(Life, CloseAndReopenKeepsAll) {
  const Scratch scratch;
  Content content;
  {
    Dict dict = scratch.open();
    for (int i = 0; i < 500; ++i) content.emplace_back("k" + std::to_string(i), std::string(300, 'v'));
    for (const auto& [key, value] : content) ASSERT_TRUE(dict.put(key, value));
  }
  expect_content(scratch.open("dict", Create::never), content);
}

TEST(Life, MovedHandleGoesOn) {
  const Scratch scratch;
  Dict first = scratch.open();
  ASSERT_TRUE(first.put("k", "v"));
  Dict second(std::move(first));
  // That is the question. NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  EXPECT_FALSE(first.is_open());
  expect_content(second, {{"k", "v"}});
  Dict third = scratch.open("other");
  third = std::move(second);
  expect_content(third, {{"k", "v"}});
  EXPECT_TRUE(third.close());
  EXPECT_TRUE(third.close());
  EXPECT_FALSE(third.is_open());
}

TEST(Life, AnotherDictOfTheNameIsNotTakenForTheOneOfAnId) {
  const Scratch scratch;
  Options wanted = scratch.options(Create::never);
  Dict dict;
  {
    const Dict first = scratch.open("dict", scratch.mortal());
    wanted.id = first.id();
    EXPECT_TRUE(Dict::open("dict", wanted, &dict));
    ASSERT_TRUE(dict.close());
  }
  for (const Create create : {Create::never, Create::if_missing}) {
    wanted.create = create;
    EXPECT_EQ(Dict::open("dict", wanted, &dict).code(), Code::no_such_dict);
    EXPECT_FALSE(exists(scratch));
  }
  const Dict other = scratch.open();
  const Status status = Dict::open("dict", wanted, &dict);
  EXPECT_EQ(status.code(), Code::no_such_dict);
  EXPECT_NE(status.message().find("it is gone: another has its name now"), std::string::npos) << status.message();
}

TEST(Life, OptionsMayBeThoseOfTheHandleThatIsOpenedAnew) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", "v"));
  ASSERT_TRUE(Dict::open("another", dict.options(), &dict));
  EXPECT_EQ(dict.count(), 0U);
  EXPECT_TRUE(exists(scratch, "another"));
}

TEST(Life, ARelativeDirectoryIsThatOfWhenItWasOpened) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              require(::chdir(scratch.path().c_str()) == 0);
              Options options = scratch.mortal();
              options.directory = "below";
              Dict dict;
              require(Dict::open("dict", options, &dict));
              require(::chdir("/") == 0);
              require(dict.put("large", std::string(100'000, 'x')));
              for (int i = 0; i < 2000; ++i) require(dict.put("k" + std::to_string(i), std::string(300, 'x')));
              require(dict.check().sound());
              require(dict.close());
              require(std::filesystem::is_empty(scratch.path() + "/below/d"));
            }),
            0);
}

TEST(Life, ADirectoryTooLongForItsFilesIsRefused) {
  const Scratch scratch;
  std::string path = scratch.path();
  while (path.size() < PATH_MAX - 200) path += "/" + std::string(99, 'x');
  const auto open = [&](std::size_t size) {
    Options options = scratch.mortal();
    options.directory = path + "/" + std::string(size - path.size() - 1, 'y');
    std::filesystem::create_directories(path);
    Dict dict;
    Status status = Dict::open("dict", options, &dict);
    return status ? dict.put("large", std::string(100'000, 'x')) : std::move(status);
  };
  bool is_refused = false;
  for (std::size_t size = path.size() + 2; size < path.size() + 150; ++size) {
    const Status status = open(size);
    EXPECT_TRUE(status || status.code() == Code::invalid_argument) << size << ": " << status.message();
    EXPECT_TRUE(!status || !is_refused) << size;
    is_refused = !status;
  }
  EXPECT_TRUE(is_refused);
}

// A process that is stopped while it has the lock of the directory; its caller is interrupted all the time.
TEST(Life, F5_WhoCannotHaveTheDirectorySaysSo) {
  const Scratch scratch;
  scratch.open("first");
  Gate locked;
  Child stopped([&] {
    os::UnforkedFile lock;
    require(os::lock_directory(scratch.path(), &lock).code == Code::ok);
    locked.open();
    for (;;) ::pause();
  });
  locked.wait();
  const std::int64_t begin = os::monotonic_ns();
  ::signal(SIGALRM, [](int) {});
  const struct itimerval often {
    {0, 200}, { 0, 200 }
  }, never{};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  const Status status = Dict::unlink("first", scratch.path());
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::signal(SIGALRM, SIG_DFL);
  EXPECT_EQ(status.code(), Code::lock_timeout);
  EXPECT_NE(status.message().find("a process holds the lock of the directory of dicts"), std::string::npos)
      << status.message();
  EXPECT_GE(os::monotonic_ns() - begin, 5'000'000'000);
  stopped.kill_and_wait();
  EXPECT_TRUE(Dict::unlink("first", scratch.path()));
}

TEST(Life, F5_WhoseDirectoryIsRemovedSaysSo) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", "v"));
  std::filesystem::remove_all(scratch.path() + "/d/" + dict.id());
  for (const Status& status :
       {dict.put("large", std::string(100'000, 'x')), dict.put("more", std::string(30'000, 'x'))})
    EXPECT_EQ(status.code(), Code::damaged) << status.message();
  EXPECT_EQ(value_of(dict, "k"), "v");
}

// --- unlink ---

TEST(Life, F5_UnlinkedWhileInUseGoesOnApartFromItsSuccessor) {
  const Scratch scratch;
  Dict old = scratch.open();
  ASSERT_TRUE(old.put("k", "old"));
  ASSERT_EQ(in_child([&] { require(Dict::unlink("dict", scratch.path())); }), 0);
  Dict fresh = scratch.open("dict", Create::if_missing);
  EXPECT_NE(fresh.id(), old.id());
  ASSERT_TRUE(fresh.put("k", "fresh"));
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(old.put("k" + std::to_string(i), std::string(400, 'v')));
  expect_content(fresh, {{"k", "fresh"}});
  EXPECT_TRUE(old.unlink()) << "a newer dict of the name is left alone";
  EXPECT_EQ(Dict::unlink("dict", scratch.path(), old.id()).code(), Code::no_such_dict) << "likewise";
  EXPECT_TRUE(exists(scratch));
  expect_sound(old);
  ASSERT_TRUE(old.close());
  EXPECT_EQ(dicts_in(scratch), 1U);
  ASSERT_TRUE(fresh.unlink());
  ASSERT_TRUE(fresh.close());
  EXPECT_EQ(dicts_in(scratch), 0U);
}

// --- leaks and races ---

TEST(Life, AttachingFiveThousandDictsLeaksNothing) {
  const Scratch scratch;
  const Dict anchor = scratch.open("anchor");  // keeps the participant's token
  const std::uint64_t descriptors = open_descriptors();
  const std::uint64_t mappings = mappings_under(scratch.path());
  const int count = is_sanitized() ? 500 : 5000;
  {
    std::vector<Dict> dicts;
    for (int i = 0; i < count; ++i) {
      dicts.push_back(scratch.open("d" + std::to_string(i), scratch.mortal(Create::always)));
      if (i % 100 == 0) {
        ASSERT_TRUE(dicts.back().put("k", std::string(100'000, 'v')));
      }
    }
    EXPECT_LE(open_descriptors(), descriptors + 2) << "an open dict keeps a descriptor";
    for (int i = 0; i < count; i += 7) {
      const Dict again = scratch.open("d" + std::to_string(i), Create::never);
      EXPECT_EQ(again.id(), dicts[static_cast<std::size_t>(i)].id());
    }
  }
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(mappings_under(scratch.path()), mappings);
  EXPECT_EQ(dicts_in(scratch), 1U);
}

TEST(Life, AttachingAndLeavingOneDictManyTimesLeaksNothing) {
  const Scratch scratch;
  ASSERT_EQ(in_child([&] {
              Dict dict = scratch.open();
              for (int i = 0; i < 500; ++i) require(dict.put("k" + std::to_string(i), std::string(2000, 'v')));
            }),
            0);
  const std::uint64_t descriptors = open_descriptors();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(value_of(scratch.open("dict", Create::never), "k499").size(), 2000U);
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(mappings_under(scratch.path()), 0U) << "the token's mapping stays as well";
}

// A process looks at dicts of its directory from a random one on, for some that died.
TEST(Life, ManyDictsOfADirectoryAreLeftAloneByProcessesThatCome) {
  const Scratch scratch;
  std::vector<Dict> dicts;
  for (int i = 0; i < 12; ++i) dicts.push_back(scratch.open("d" + std::to_string(i)));
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(in_child([&] { require(scratch.open("of a child", Create::if_missing).unlink()); }), 0);
  }
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(exists(scratch, "d" + std::to_string(i)));
  EXPECT_EQ(dicts_in(scratch), 12U);
}

TEST(Life, ThreadsThatOpenOneNameShareTheDict) {
  const Scratch scratch;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&scratch, i] {
      for (int round = 0; round < 100; ++round) {
        Dict dict;
        const Status status = Dict::open("dict", scratch.options(), &dict);
        ASSERT_TRUE(status) << status.message();
        ASSERT_TRUE(dict.put("t" + std::to_string(i), std::to_string(round)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Dict dict = scratch.open();
  EXPECT_EQ(dict.count(), 4U);
  expect_sound(dict);
}

TEST(Life, ProcessesThatCreateAndRemoveOneNameNeverSeeHalfADict) {
  if (forks_are_slow()) GTEST_SKIP() << "slow";
  const Scratch scratch;
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(std::make_unique<Child>([&, i] {
      for (int round = 0; round < 150; ++round) {
        Dict dict = scratch.open("dict", i % 2 == 0 ? scratch.mortal() : scratch.options());
        require(dict.is_open());
        require(dict.put("k" + std::to_string(i), "v"));
        require(dict.check().sound());
        if (round % 5 == 0) require(dict.unlink());
      }
    }));
  }
  for (const auto& child : children) EXPECT_EQ(child->wait(), 0);
  (void)Dict::unlink("dict", scratch.path());
  for (int i = 0; i < 12; ++i) (void)scratch.open("sweeper", scratch.mortal());
  EXPECT_EQ(dicts_in(scratch), 0U);
}

}  // namespace
}  // namespace ultradict::test
