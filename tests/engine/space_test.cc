// SPDX-License-Identifier: Apache-2.0
// Memory that comes to an end: refusals that change nothing, never a signal; old data stay readable, deletions always
// work, and so do writes after them.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "support/child.h"
#include "support/model.h"
#include "support/scratch.h"
#include "support/small_memory.h"

namespace ultradict::test {
namespace {

// Puts until memory is full; the content is then what was acknowledged.
void fill(Dict& dict, Model& model, std::size_t value_size) {
  for (std::uint64_t i = 0;; ++i) {
    const std::string value = marked_value(key(i), i, value_size);
    const Status status = dict.put(key(i), value);
    if (status.code() == Code::memory_full) break;
    require(status);
    model.put(key(i), value);
    require(i < 1'000'000);
  }
}

void expect_model(const Dict& dict, const Model& model) {
  require(content_of(dict) == model.content());
  const std::string unsound = unsoundness_of(dict);
  if (!unsound.empty()) std::fprintf(stderr, "%s", unsound.c_str());
  require(unsound.empty());
}

// Full, then: all is readable, overwriting changes nothing or works, deleting works, and putting after it.
void live_in_full_memory(Dict& dict, std::size_t value_size) {
  Model model;
  fill(dict, model, value_size);
  expect_model(dict, model);
  const Status status = dict.put(key(0), marked_value(key(0), 1, value_size));
  require(status || status.code() == Code::memory_full);
  if (status && model.count() != 0) model.put(key(0), marked_value(key(0), 1, value_size));
  if (status && model.count() == 0) require(dict.erase(key(0)));
  expect_model(dict, model);
  const std::uint64_t count = model.count();
  for (std::uint64_t round = 0; round < 3 && count > 4; ++round) {
    for (std::uint64_t i = round; i < count; i += 4) {
      require(dict.erase(key(i)));
      model.erase(key(i));
    }
    expect_model(dict, model);
    for (std::uint64_t i = round; i < round + 1; ++i) {
      require(dict.put(key(i), marked_value(key(i), 2, value_size)));
      model.put(key(i), marked_value(key(i), 2, value_size));
    }
    expect_model(dict, model);
  }
  require(dict.clean());
  expect_model(dict, model);
  require(dict.clear());
  model.clear();
  fill(dict, model, value_size);
  require(model.count() * 4 >= count * 3);
  expect_model(dict, model);
}

// In a process of its own: SIGBUS is what is looked for.
int live_in(std::uint64_t size, std::size_t value_size, std::uint64_t buffer_size) {
  const SmallMemory memory(size);
  Options options = memory.options();
  options.buffer_size = buffer_size;
  return in_child([&] {
    Dict dict;
    const Status status = Dict::open("dict", options, &dict);
    require(status || status.code() == Code::memory_full);
    if (status) live_in_full_memory(dict, value_size);
  });
}

class Space : public testing::Test {
 protected:
  void SetUp() override {
    if (!SmallMemory(64 * 1024).is_there()) GTEST_SKIP() << "mounting is not permitted";
  }
};

TEST_F(Space, D1_OfEverySizeFromNothingOnIsFilledWithSmallValues) {
  for (std::uint64_t pages = 1; pages <= 40; ++pages) EXPECT_EQ(live_in(pages * 4096, 50, 10'000), 0) << pages;
}

TEST_F(Space, D1_OfManySizesIsFilledWithSmallValues) {
  for (std::uint64_t pages = 41; pages <= 512; pages += 31) EXPECT_EQ(live_in(pages * 4096, 60, 10'000), 0) << pages;
}

TEST_F(Space, D1_OfManySizesIsFilledWithValuesOfAPage) {
  for (std::uint64_t pages = 12; pages <= 512; pages += 29) EXPECT_EQ(live_in(pages * 4096, 3000, 0), 0) << pages;
}

TEST_F(Space, D1_OfManySizesIsFilledWithBlobs) {
  for (std::uint64_t pages = 12; pages <= 512; pages += 50) EXPECT_EQ(live_in(pages * 4096, 40'000, 0), 0) << pages;
}

TEST_F(Space, D2_ThatOthersTakeIsARefusal) {
  const SmallMemory memory(1024 * 1024);
  EXPECT_EQ(in_child([&] {
              Dict dict;
              require(Dict::open("dict", memory.options(), &dict));
              Model model;
              for (std::uint64_t i = 0; i < 20; ++i) {
                require(dict.put(key(i), marked_value(key(i), i, 100)));
                model.put(key(i), marked_value(key(i), i, 100));
              }
              memory.fill_up();
              Status status;
              for (std::uint64_t i = 20; status && i < 10'000; ++i) {
                status = dict.put(key(i), marked_value(key(i), i, 100));
                if (status) model.put(key(i), marked_value(key(i), i, 100));
              }
              require(status.code() == Code::memory_full);
              require(!status.message().empty());
              expect_model(dict, model);
              require(dict.put(key(1), std::string(50'000, 'b')).code() == Code::memory_full);
              expect_model(dict, model);
              require(orphans_of(dict).empty());
            }),
            0);
}

// The slots can no more grow and fill up, with tombstones among them; a key that goes makes room for one that comes.
TEST_F(Space, D1_FullSlotsTakeAKeyForEachThatGoes) {
  const SmallMemory memory(1024 * 1024);
  Options options = memory.options();
  options.buffer_size = 200'000;
  EXPECT_EQ(in_child([&] {
              Dict dict;
              require(Dict::open("dict", options, &dict));
              memory.fill_up();
              Model model;
              fill(dict, model, 1);
              const std::uint64_t count = model.count();
              require(count >= 32);
              for (std::uint64_t i = 0; i < 500; ++i) {
                require(dict.erase(key(i)));
                model.erase(key(i));
                require(dict.put(key(i + count), "v"));
                model.put(key(i + count), "v");
              }
              expect_model(dict, model);
            }),
            0);
}

TEST_F(Space, D1_BatchThatDoesNotFitChangesNothing) {
  const SmallMemory memory(512 * 1024);
  EXPECT_EQ(in_child([&] {
              Dict dict;
              require(Dict::open("dict", memory.options(), &dict));
              Model model;
              for (std::uint64_t i = 0; i < 100; ++i) {
                require(dict.put(key(i), marked_value(key(i), i, 500)));
                model.put(key(i), marked_value(key(i), i, 500));
              }
              std::vector<std::string> keys;
              std::vector<Item> items;
              const std::string value(800, 'n');
              const std::string blob(50'000, 'b');
              for (std::uint64_t i = 0; i < 900; ++i) keys.push_back(key(i * 3));
              for (const std::string& name : keys) items.push_back({Key{name}, name == key(300) ? blob : value});
              for (int round = 0; round < 5; ++round) {
                require(dict.put_all(items).code() == Code::memory_full);
                expect_model(dict, model);
                require(orphans_of(dict).empty());
                require(dict.put(key(7), value));
                model.put(key(7), value);
              }
              items.resize(100);
              require(dict.put_all(items));
              for (const Item& item : items) model.put(std::string(item.key.canonical), std::string(item.value));
              expect_model(dict, model);
            }),
            0);
}

TEST_F(Space, D1_D8_OverwritingForEverInNearlyFullMemoryGoesOn) {
  const SmallMemory memory(1024 * 1024);
  EXPECT_EQ(in_child([&] {
              Dict dict;
              require(Dict::open("dict", memory.options(), &dict));
              Model model;
              fill(dict, model, 300);
              const std::uint64_t count = model.count();
              for (std::uint64_t i = 0; i < count; i += 3) {
                require(dict.erase(key(i)));
                model.erase(key(i));
              }
              Random random(4);
              for (std::uint64_t i = 0; i < 20'000; ++i) {
                const std::string name = key(random.below(count / 3) * 3 + 1);
                const std::string value = marked_value(name, i, 300);
                const Status status = dict.put(name, value);
                require(status);
                model.put(name, value);
              }
              expect_model(dict, model);
            }),
            0);
}

// --- D3: what cleaning lives on ---

TEST_F(Space, D3_TheSpareSegmentIsNotForRecords) {
  const SmallMemory memory(1024 * 1024);
  EXPECT_EQ(in_child([&] {
              Dict dict;
              require(Dict::open("dict", memory.options(), &dict));
              memory.fill_up();
              Model model;
              fill(dict, model, 60);
              const ControlView control(dict);
              const Word tail = Ref{control->state.tail}.segment();
              Word spare = 0;
              for (Word number = 0; number < segments_max; ++number) {
                const SegmentDescriptor& segment = control->segments[number];
                if (segment.filled == 0 && number != tail) spare = std::max(spare, segment.size);
              }
              require(spare > 1000);  // it would have been taken
              for (std::uint64_t i = 0, count = model.count(); i < count; i += 2) {
                require(dict.erase(key(i)));
                model.erase(key(i));
              }
              require(dict.clean());
              require(dict.put("after", marked_value("after", 1, 60)));
              model.put("after", marked_value("after", 1, 60));
              expect_model(dict, model);
            }),
            0);
}

// --- D4: room, and no inodes for files ---

void live_without_inodes(Dict& dict) {
  Model model;
  const std::string blob(blob_size_min + 1, 'b');
  Status status;
  std::uint64_t blobs = 0;
  for (; status && blobs < 100; ++blobs) {
    status = dict.put("blob" + std::to_string(blobs), blob);
    if (status) model.put("blob" + std::to_string(blobs), blob);
  }
  require(status.code() == Code::memory_full && !status.message().empty());
  fill(dict, model, 700);
  expect_model(dict, model);
  require(orphans_of(dict).empty());
  if (blobs > 1) {
    require(dict.erase("blob0"));
    model.erase("blob0");
    for (std::uint64_t i = 0; model.erase(key(i)); i += 2) require(dict.erase(key(i)));  // its record needs room, too
    require(dict.put("in its place", blob));
    model.put("in its place", blob);
  }
  require(dict.clean());
  expect_model(dict, model);
  require(dict.clear());
  model.clear();
  require(dict.put(key(1), "v"));
  model.put(key(1), "v");
  expect_model(dict, model);
}

TEST_F(Space, D4_WithoutInodesIsARefusal) {
  int lived = 0;
  for (std::uint64_t inodes = 1; inodes <= 30; ++inodes) {
    const SmallMemory memory(4 << 20, inodes);
    const SharedNote<bool> opened;
    EXPECT_EQ(in_child([&] {
                Dict dict;
                const Status status = Dict::open("dict", memory.options(), &dict);
                require(status || (status.code() == Code::memory_full && !status.message().empty()));
                *opened = static_cast<bool>(status);
                if (status) live_without_inodes(dict);
              }),
              0)
        << inodes;
    lived += *opened ? 1 : 0;
  }
  EXPECT_GT(lived, 15);
}

// --- D9: RLIMIT_FSIZE: going over it would be SIGXFSZ ---

TEST(SpaceLimit, D9_FileSizeLimitIsARefusal) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              Dict dict = scratch.open();
              require(dict.put("k", "v"));
              const struct rlimit limit { 60'000, RLIM_INFINITY };
              require(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
              Model model;
              model.put("k", "v");
              require(dict.put("k", std::string(61'000, 'b')).code() == Code::memory_full);
              require(dict.put("b", std::string(50'000, 'b')));
              model.put("b", std::string(50'000, 'b'));
              Status status;
              for (std::uint64_t i = 0; status && i < 100'000; ++i) {
                const std::string value(5000, 'v');
                status = dict.put(key(i), value);
                if (status) model.put(key(i), value);
              }
              require(status.code() == Code::memory_full);
              expect_model(dict, model);
              require(dict.erase(key(0)));
              model.erase(key(0));
              expect_model(dict, model);
            }),
            0);
}

TEST(SpaceLimit, D9_CreateBeyondTheFileSizeLimitLeavesNothing) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              const Dict other = scratch.open("other");
              const struct rlimit limit { 10'000, RLIM_INFINITY };
              require(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
              Dict dict;
              require(Dict::open("dict", scratch.options(), &dict).code() == Code::memory_full);
              require(Dict::open("dict", scratch.options(Create::never), &dict).code() == Code::no_such_dict);
            }),
            0);
  EXPECT_NO_FATAL_FAILURE(scratch.open("dict"));
}

TEST(SpaceLimit, D9_WithoutDescriptorsThereIsAnErrorAndNothingIsLost) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              Dict dict = scratch.open();
              for (std::uint64_t i = 0; i < 2000; ++i) require(dict.put(key(i), std::string(400, 'v')));
              const Content content = content_of(dict);
              const struct rlimit limit { 0, 4096 };
              require(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
              require(dict.contains(key(5)));
              Status status;
              for (std::uint64_t i = 0; status && i < 100'000; ++i) status = dict.put("n", std::string(2000, 'n'));
              Dict second;
              require(!Dict::open("second", scratch.options(), &second));
              const struct rlimit more { 256, 4096 };
              require(::setrlimit(RLIMIT_NOFILE, &more) == 0);
              require(dict.erase("n"));
              require(content_of(dict) == content);
              require(dict.check().sound());
            }),
            0);
}

}  // namespace
}  // namespace ultradict::test
