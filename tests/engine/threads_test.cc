// SPDX-License-Identifier: Apache-2.0
// Threads of one process over one mapping: what ThreadSanitizer can follow.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

const int operations = is_sanitized() ? 3000 : 30'000;

void run_all(const std::vector<std::function<void()>>& bodies) {
  std::vector<std::thread> threads;
  threads.reserve(bodies.size());
  for (const auto& body : bodies) threads.emplace_back(body);
  for (std::thread& thread : threads) thread.join();
}

void write(Dict& dict, std::uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < operations; ++i) {
    const std::string name = key(random.below(300));
    const std::uint64_t kind = random.below(1000);
    Status status;
    if (kind == 0) {
      status = dict.clear();
    } else if (kind < 4) {
      status = dict.clean();
    } else if (kind < 10) {
      status = dict.put(name, marked_value(name, random.next(), 40'000));
    } else if (kind < 200) {
      status = dict.erase(name);
    } else {
      status = dict.put(name, marked_value(name, random.next(), random.below(500)));
    }
    if (!status) {
      ASSERT_EQ(status.code(), Code::not_found) << status.message();
    }
  }
}

void read(const Dict& dict, std::uint64_t seed) {
  Random random(seed);
  for (int i = 0; i < operations; ++i) {
    const std::string name = key(random.below(310));
    std::string value;
    const Status status = dict.get(name, &value);
    if (status) {
      ASSERT_TRUE(is_marked(name, value)) << name;
    } else {
      ASSERT_EQ(status.code(), Code::not_found) << status.message();
    }
  }
}

void iterate(const Dict& dict, Cursor::Direction direction) {
  for (int round = 0; round < operations / 300; ++round) {
    Cursor cursor(dict, direction);
    Sighting seen;
    Buffer buffer;
    Record record;
    Status status;
    while ((status = cursor.next(&seen, &buffer, &record))) {
      if (record.is_blob) continue;
      ASSERT_TRUE(is_marked(std::string(record.canonical), record.value));
    }
    ASSERT_EQ(status.code(), Code::not_found) << status.message();
  }
}

TEST(Threads, G4_ReadAndWriteOneHandle) {
  const Scratch scratch;
  Dict dict = scratch.open();
  run_all({[&] { write(dict, 1); }, [&] { write(dict, 2); }, [&] { read(dict, 3); }, [&] { read(dict, 4); }});
  expect_sound(dict);
  EXPECT_EQ(orphans_of(dict), "");
}

TEST(Threads, G4_IterateWhileOthersWrite) {
  const Scratch scratch;
  Dict dict = scratch.open();
  run_all({[&] { write(dict, 5); }, [&] { iterate(dict, Cursor::Direction::forward); },
           [&] { iterate(dict, Cursor::Direction::backward); }});
  expect_sound(dict);
}

TEST(Threads, G4_ReadFiguresWhileOthersWrite) {
  const Scratch scratch;
  Dict dict = scratch.open();
  run_all({[&] { write(dict, 6); },
           [&] {
             for (int i = 0; i < operations; ++i) {
               ASSERT_LT(dict.stats().dead_size, 1ULL << 40);
               ASSERT_LE(dict.count(), 310U);
               (void)dict.owner();
               (void)dict.exotic_count();
             }
           }});
}

TEST(Threads, G4_HandlesOfTheirOwnForOneDict) {
  const Scratch scratch;
  const auto with_own = [&](const std::function<void(Dict&)>& body) {
    return [&scratch, body] {
      Dict own = scratch.open();
      body(own);
    };
  };
  run_all({with_own([](Dict& dict) { write(dict, 7); }), with_own([](Dict& dict) { write(dict, 8); }),
           with_own([](Dict& dict) { read(dict, 9); })});
  expect_sound(scratch.open());
}

// A large table grows and goes under readers that hold Sightings.
TEST(Threads, G4_SightingsAreAskedWhileTablesComeAndGo) {
  const Scratch scratch;
  Options options = scratch.options();
  options.keeps_sightings = true;
  Dict dict = scratch.open("dict", options);
  std::atomic<bool> stop = false;
  run_all({[&] {
             for (int round = 0; round < 8; ++round) {
               for (std::uint64_t i = 0; i < 1500; ++i) ASSERT_TRUE(dict.put(key(i), std::to_string(round)));
               ASSERT_TRUE(dict.clear());
             }
             stop.store(true);
           },
           [&] {
             Buffer buffer;
             Record record;
             while (!stop.load()) {
               Sighting seen;
               if (!dict.find(key(700), &seen, &buffer, &record)) continue;
               for (int i = 0; i < 100 && seen.current(); ++i) {
               }
               bool moved = false;
               const Status status = dict.reread(&seen, &buffer, &record, &moved);
               ASSERT_TRUE(status || status.code() == Code::changed) << status.message();
             }
           }});
  dict.release_old_tables();
  expect_sound(dict);
}

TEST(Threads, ForkAmongThem) {
  if (is_sanitized()) GTEST_SKIP() << "their allocator does not survive a fork beside other threads";
  const Scratch scratch;
  Dict dict = scratch.open();
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (std::uint64_t i = 0; !stop.load(); ++i) {
      ASSERT_TRUE(dict.put(key(i % 3000), std::string(i % 2000, 'v')));
      if (i % 4000 == 0) {
        ASSERT_TRUE(dict.clear());
      }
    }
  });
  std::thread reader([&] {
    for (std::uint64_t i = 0; !stop.load(); ++i) (void)dict.contains(key(i % 3000));
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(in_child([&] {
                ::alarm(20);
                require(dict.put("child", "v"));
                for (std::uint64_t number = 0; number < 50; ++number) {
                  const Status status = dict.contains(key(number));
                  require(status || status.code() == Code::not_found);
                }
                require(dict.close());
              }),
              0);
  }
  stop.store(true);
  writer.join();
  reader.join();
  expect_sound(dict);
}

}  // namespace
}  // namespace ultradict::test
