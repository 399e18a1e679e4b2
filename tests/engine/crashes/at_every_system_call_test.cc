// SPDX-License-Identifier: Apache-2.0
// A process dies before and after each of its system calls: what is made of files, names and locks outside the shared
// bytes. Whoever comes next finds all or nothing, and nothing is left over.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>

#include "crashes/crash_point.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

namespace fs = std::filesystem;

std::size_t entries_in(const std::string& path) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

std::string blob(char letter) { return std::string(blob_size_min + 5'000, letter); }

// Runs `body` in a child that dies at each of its stops in turn, and `expect` after each.
void die_at_each_call(const std::function<void()>& before, const std::function<void()>& body,
                      const std::function<void()>& expect) {
  if (forks_are_slow() || !can_trace()) GTEST_SKIP() << "no tracing here";
  const int stride = is_sanitized() ? 7 : 1;
  bool killed = true;
  for (int stop = 1; killed && !testing::Test::HasFailure(); stop += stride) {
    SCOPED_TRACE("stop " + std::to_string(stop));
    before();
    killed = killed_at_system_call(stop, body);
    expect();
  }
}

// A process that opens its first dict in the directory looks at the others and sweeps.
void sweep(const Scratch& scratch) {
  EXPECT_EQ(in_child([&] { require(scratch.open("sweeper", scratch.mortal(Create::always)).close()); }), 0);
}

TEST(CrashAtASystemCall, A8_A10_InCreateLeavesAWholeDictOrNone) {
  const Scratch scratch;
  die_at_each_call([&] { (void)scratch.open("other", scratch.mortal()); },
                   [&] { (void)scratch.open("dict", Create::always); },
                   [&] {
                     Dict dict;
                     const Status status = Dict::open("dict", scratch.options(Create::never), &dict);
                     ASSERT_TRUE(status || status.code() == Code::no_such_dict) << status.message();
                     if (status) {
                       expect_content(dict, {});
                       EXPECT_TRUE(dict.put("k", "v"));
                       EXPECT_TRUE(dict.unlink());
                       EXPECT_TRUE(dict.close());
                     }
                     sweep(scratch);
                     EXPECT_EQ(entries_in(scratch.path() + "/d"), 0U);
                     EXPECT_EQ(entries_in(scratch.path() + "/n"), 0U);
                   });
}

TEST(CrashAtASystemCall, A8_A10_InTheFirstCreateOfADirectoryLeavesItUsable) {
  std::unique_ptr<Scratch> scratch;
  die_at_each_call([&] { scratch = std::make_unique<Scratch>(); },
                   [&] { (void)scratch->open("dict", scratch->mortal(Create::always)); },
                   [&] {
                     Dict dict = scratch->open("dict", scratch->mortal());
                     EXPECT_TRUE(dict.put("k", "v"));
                     expect_content(dict, {{"k", "v"}});
                     EXPECT_TRUE(dict.close());
                     sweep(*scratch);
                     EXPECT_EQ(entries_in(scratch->path() + "/d"), 0U);
                     EXPECT_EQ(entries_in(scratch->path() + "/n"), 0U);
                   });
}

TEST(CrashAtASystemCall, A10_H5_OfACreatorWithAutoUnlinkLeavesNothing) {
  const Scratch scratch;
  die_at_each_call([&] { (void)scratch.open("other", scratch.mortal()); },
                   [&] {
                     Dict dict = scratch.open("dict", scratch.mortal(Create::always));
                     require(dict.put("k", blob('a')));
                     require(dict.close());
                   },
                   [&] {
                     Dict dict;
                     const Status status = Dict::open("dict", scratch.options(Create::never), &dict);
                     EXPECT_EQ(status.code(), Code::no_such_dict) << status.message();
                     sweep(scratch);
                     EXPECT_EQ(entries_in(scratch.path() + "/d"), 0U);
                     EXPECT_EQ(entries_in(scratch.path() + "/n"), 0U);
                   });
}

TEST(CrashAtASystemCall, A10_InUnlinkLeavesAWholeDictOrNone) {
  const Scratch scratch;
  die_at_each_call(
      [&] {
        Dict dict = scratch.open();
        EXPECT_TRUE(dict.put("k", "v"));
      },
      [&] { require(Dict::unlink("dict", scratch.path())); },
      [&] {
        Dict dict;
        const Status status = Dict::open("dict", scratch.options(Create::never), &dict);
        ASSERT_TRUE(status || status.code() == Code::no_such_dict) << status.message();
        if (status) {
          expect_content(dict, {{"k", "v"}});
          EXPECT_TRUE(dict.unlink());
          EXPECT_TRUE(dict.close());
        }
        sweep(scratch);
        EXPECT_EQ(entries_in(scratch.path() + "/d"), 0U);
        EXPECT_EQ(entries_in(scratch.path() + "/n"), 0U);
      });
}

// Of max_bytes a dead writer keeps nothing: there is room for a value that needs all that was left.
TEST(CrashAtASystemCall, A10_D2_OfALargeValueUnderABoundLosesNoMemory) {
  const Scratch scratch;
  Options options = scratch.options();
  options.max_bytes = 1 << 20;
  std::unique_ptr<Dict> dict;
  std::uint64_t left = 0;
  const std::string value(300'000, 'x');
  die_at_each_call(
      [&] {
        dict = std::make_unique<Dict>(scratch.open("dict", options));
        EXPECT_TRUE(dict->put("k", "v"));
        left = dict->stats().free_bytes;
      },
      [&] {
        Dict own = scratch.open("dict", Create::never);
        require(own.put("large", value));
      },
      [&] {
        EXPECT_LE(dict->stats().free_bytes, left);
        if (dict->contains("large")) {
          EXPECT_TRUE(value_of(*dict, "large") == value);
          EXPECT_TRUE(dict->erase("large"));
        }
        EXPECT_TRUE(dict->put("all", std::string(left / page_size * page_size, 'a')));
        EXPECT_EQ(dict->stats().free_bytes, 0U);
        EXPECT_TRUE(dict->clean());
        EXPECT_EQ(orphans_of(*dict), "");
        EXPECT_TRUE(dict->check().sound());
        EXPECT_TRUE(dict->unlink());
      });
}

// The writer attaches, does `write` and leaves; before and after are the two contents there may be.
void die_writing(const std::function<void(Dict&)>& prepare, const std::function<void(Dict&)>& write) {
  const Scratch scratch;
  const auto make = [&](const std::string& name) {
    Dict dict = scratch.open(name, Create::always);
    prepare(dict);
    return dict;
  };
  Dict model = make("model");
  const Content before = content_of(model);
  write(model);
  const Content after = content_of(model);
  std::unique_ptr<Dict> dict;
  die_at_each_call([&] { dict = std::make_unique<Dict>(make("dict")); },
                   [&] {
                     Dict own = scratch.open("dict", Create::never);
                     write(own);
                   },
                   [&] {
                     EXPECT_TRUE(dict->lock(Wait{0}));
                     EXPECT_TRUE(dict->unlock());
                     const Content now = content_of(*dict);
                     EXPECT_TRUE(now == before || now == after);
                     EXPECT_TRUE(dict->clean());
                     expect_content(*dict, now);
                     EXPECT_EQ(orphans_of(*dict), "");
                     EXPECT_TRUE(dict->unlink());
                   });
}

TEST(CrashAtASystemCall, A10_AttachingWritingASmallValueAndClosing) {
  die_writing([](Dict& dict) { require(dict.put("k", "v")); }, [](Dict& dict) { require(dict.put("k", "w")); });
}

TEST(CrashAtASystemCall, A10_H5_WritingABlob) {
  die_writing([](Dict& dict) { require(dict.put("k", blob('a'))); },
              [](Dict& dict) { require(dict.put("k", blob('b'))); });
}

TEST(CrashAtASystemCall, A10_H5_WritingManyBlobsAtOnce) {
  die_writing([](Dict& dict) { require(dict.put("k", blob('a'))); },
              [](Dict& dict) {
                const std::string b = blob('b');
                const std::string c = blob('c');
                const std::vector<Item> items{{Key{"k"}, b}, {Key{"l"}, c}, {Key{"m"}, "small"}};
                require(dict.put_all(items));
              });
}

TEST(CrashAtASystemCall, A9_A10_ClearingATableWithBlobs) {
  die_writing(
      [](Dict& dict) {
        for (int i = 0; i < 200; ++i) require(dict.put("k" + std::to_string(i), std::string(500, 'v')));
        for (int i = 0; i < 3; ++i) require(dict.put("b" + std::to_string(i), blob('b')));
      },
      [](Dict& dict) { require(dict.clear()); });
}

TEST(CrashAtASystemCall, A9_A10_H5_Cleaning) {
  die_writing(
      [](Dict& dict) {
        const std::string value(60'000 / 4, 'v');
        for (int i = 0; i < 60; ++i) require(dict.put("k" + std::to_string(i % 20), value));
      },
      [](Dict& dict) { require(dict.clean()); });
}

TEST(CrashAtASystemCall, A10_GrowingLogAndTable) {
  die_writing([](Dict& dict) { require(dict.put("k", "v")); },
              [](Dict& dict) {
                std::string value(600, 'v');
                std::vector<std::string> keys;
                for (int i = 0; i < 70; ++i) keys.push_back("k" + std::to_string(i));
                std::vector<Item> items;
                for (const std::string& key : keys) items.push_back({Key{key}, value});
                require(dict.put_all(items));
              });
}

}  // namespace
}  // namespace ultradict::test
