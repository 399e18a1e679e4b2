// SPDX-License-Identifier: Apache-2.0
#include "store/reader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "os/futex.h"
#include "store/dict_files.h"
#include "store/life.h"
#include "store/retry.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

TEST(Reader, SightingIsCurrentUntilTheKeyIsWritten) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", "1"));
  Sighting seen;
  Buffer buffer;
  Record record;
  ASSERT_TRUE(dict.find("k", &seen, &buffer, &record));
  EXPECT_EQ(record.value, "1");
  ASSERT_TRUE(dict.put("other", "1"));
  EXPECT_TRUE(seen.current());
  ASSERT_TRUE(dict.put("k", "1"));
  EXPECT_FALSE(seen.current());
  bool moved = true;
  ASSERT_TRUE(dict.reread(&seen, &buffer, &record, &moved));
  EXPECT_FALSE(moved);
  EXPECT_EQ(record.value, "1");
  EXPECT_TRUE(seen.current());
}

TEST(Reader, G3_SightingOfADeletedKeyIsOldAlsoWhenItsEntryIsReused) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Sighting seen;
  ASSERT_TRUE(dict.put(Key{"k"}, "1", &seen));
  ASSERT_TRUE(dict.erase("k"));
  EXPECT_FALSE(seen.current());
  Buffer buffer;
  Record record;
  bool moved = false;
  EXPECT_EQ(dict.reread(&seen, &buffer, &record, &moved).code(), Code::changed);
  ASSERT_TRUE(dict.put("k", "2"));
  EXPECT_FALSE(seen.current());
  EXPECT_EQ(dict.reread(&seen, &buffer, &record, &moved).code(), Code::changed);
}

TEST(Reader, H1_BlobOfAnOldSightingIsGone) {
  const Scratch scratch;
  Dict dict = scratch.open();
  const std::string large(40'000, 'a');
  ASSERT_TRUE(dict.put("k", large));
  Sighting seen;
  Buffer buffer;
  Record record;
  ASSERT_TRUE(dict.find("k", &seen, &buffer, &record));
  EXPECT_TRUE(record.is_blob);
  EXPECT_EQ(record.value_size, large.size());
  ASSERT_TRUE(dict.put("k", std::string(50'000, 'b')));
  std::string copy(large.size(), 0);
  EXPECT_EQ(dict.read_blob(seen, copy.size(), copy.data()).code(), Code::changed);
}

TEST(Reader, E1_BlobThatChangedOnDiskIsNoValue) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", std::string(50'000, 'b')));
  Sighting seen;
  Buffer buffer;
  Record record;
  ASSERT_TRUE(dict.find("k", &seen, &buffer, &record));
  const std::string path = directory_of(dict) + "/" + std::string(DictFiles::blob(record.sequence));
  std::string bytes = read_file(path);
  bytes[12'345] = static_cast<char>(bytes[12'345] ^ 4);
  write_file(path, bytes);
  std::string value;
  EXPECT_EQ(dict.get("k", &value).code(), Code::damaged);
  EXPECT_NE(unsoundness_of(dict), "");
}

// The writer never rests: the log is cleaned and reused under the readers all the time. Each value says whose it is.
void write_without_rest(Dict& dict, const std::atomic<bool>& stop) {
  Random random(5);
  for (std::uint64_t number = 0; !stop.load(); ++number) {
    const std::string name = key(random.below(60));
    const std::uint64_t kind = random.below(200);
    if (kind == 0) {
      require(dict.clear());
    } else if (kind < 20) {
      const Status status = dict.erase(name);
      require(status || status.code() == Code::not_found);
    } else if (kind < 24) {
      const std::string value = marked_value(name, number, 40'000);
      const std::string other = "x" + name;
      const std::vector<Item> items{{Key{name}, value}, {Key{other}, value}};
      require(dict.put_all(items));
    } else {
      require(dict.put(name, marked_value(name, number, random.below(3000))));
    }
  }
}

TEST(Reader, G5_NeverReturnsAWrongValueBesideAWriterThatNeverRests) {
  const Scratch scratch;
  Dict dict = scratch.open();
  SharedNote<std::atomic<bool>> stop;
  Child writer([&] {
    Dict own = scratch.open("dict", Create::never);
    write_without_rest(own, *stop);
  });
  Random random(6);
  const int reads = is_sanitized() ? 20'000 : 150'000;
  int hits = 0;
  // A writer that has not begun yet, or rests after a clear, leaves nothing to read.
  for (int i = 0; i < reads || hits < reads / 10; ++i) {
    const std::string name = key(random.below(70));
    std::string value;
    const Status status = dict.get(name, &value);
    if (status.code() == Code::not_found) continue;
    ASSERT_TRUE(status) << static_cast<int>(status.code()) << " " << status.message();
    ASSERT_TRUE(is_marked(name, value)) << name << " " << value.substr(0, 30) << " read " << i;
    ++hits;
  }
  stop->store(true);
  EXPECT_EQ(writer.wait(), 0);
  expect_sound(dict);
}

// Two processes see to it that a record is never where it just was.
TEST(Reader, G5_BesideConstantWritingAndCleaningEveryLookEnds) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(dict.put(key(i), marked_value(key(i), i, 300)));
  SharedNote<std::atomic<bool>> stop;
  SharedNote<std::atomic<std::uint64_t>> cleanings;
  Child writer([&] {
    for (std::uint64_t i = 0; !stop->load(); ++i)
      require(dict.put(key(i % 20), marked_value(key(i % 20), i, i % 3000)));
  });
  Child cleaner([&] {
    for (; !stop->load(); ++*cleanings) require(dict.clean());
  });
  const std::uint64_t reads = is_sanitized() ? 2000 : 20'000;
  for (std::uint64_t i = 0; i < reads || cleanings->load() < 1000; ++i) {
    const std::string name = key(i % 20);
    ASSERT_TRUE(is_marked(name, value_of(dict, name))) << value_of(dict, name);
    ASSERT_TRUE(dict.contains(name));
    if (i % 20 == 0) {
      ASSERT_EQ(keys_of(dict).size(), 20U);
    }
  }
  stop->store(true);
  EXPECT_EQ(writer.wait(), 0);
  EXPECT_EQ(cleaner.wait(), 0);
}

// As if a table were being replaced for ever: no look can be consistent, not even under the lock.
TEST(Reader, G5_LooksThatNeverSucceedEndWithAnError) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", "v"));
  EXPECT_EQ(in_child([&] {
              const ControlView control(dict);
              control->state.table_number += 1;
              std::string value;
              Sighting seen;
              Buffer buffer;
              Record record;
              Cursor cursor(dict);
              require(dict.get("k", &value).code() == Code::damaged);
              require(dict.contains("k").code() == Code::damaged);
              require(dict.contains("absent").code() == Code::damaged);
              require(cursor.next(&seen).code() == Code::damaged);
              require(cursor.next(&seen, &buffer, &record).code() == Code::damaged);
              control->state.table_number -= 1;
            }),
            0);
  EXPECT_EQ(content_of(dict), (Content{{"k", "v"}}));
}

// Another thread may have the lock and wait for something that the reader keeps.
TEST(Reader, G5_WhoCannotGetTheLockLooksAgainWithoutIt) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.lock());
  int looks = 0;
  Fault fault;
  std::thread reader([&] {
    const auto look = [&] { return ++looks <= retries_max ? Fault::of(Code::changed) : Fault::none(); };
    fault = look_until_consistent(*find_open(dict.id()), look);
  });
  reader.join();
  EXPECT_EQ(fault.code, Code::ok) << fault.what;
  EXPECT_EQ(looks, retries_max + 1);
  EXPECT_TRUE(dict.unlock());
}

// The waits grow, but all of them together last no longer than is promised.
TEST(Reader, G5_WhoNeverGetsTheLockSaysSoInTime) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.lock());
  Fault fault;
  const std::int64_t begin = os::monotonic_ns();
  std::thread reader(
      [&] { fault = look_until_consistent(*find_open(dict.id()), [] { return Fault::of(Code::changed); }); });
  reader.join();
  const std::int64_t waited = os::monotonic_ns() - begin;
  EXPECT_EQ(fault.code, Code::lock_timeout);
  EXPECT_GE(waited, reader_wait_ns);
  EXPECT_LT(waited, 2 * reader_wait_ns);
  EXPECT_TRUE(dict.unlock());
}

// What is overwritten in order is read in order: a reader never goes back in time.
TEST(Reader, NeverGoesBackInTime) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", marked_value("k", 0, 50)));
  SharedNote<std::atomic<bool>> stop;
  Child writer([&] {
    for (std::uint64_t number = 1; !stop->load(); ++number) require(dict.put("k", marked_value("k", number, 50)));
  });
  std::uint64_t last = 0;
  for (int i = 0; i < 100'000 || last < 1000; ++i) {
    std::string value;
    ASSERT_TRUE(dict.get("k", &value));
    std::uint64_t number = 0;
    ASSERT_TRUE(is_marked("k", value, &number));
    ASSERT_GE(number, last);
    last = number;
  }
  stop->store(true);
  EXPECT_EQ(writer.wait(), 0);
}

TEST(Reader, G3_SightingThatIsCurrentNamesTheNewestValue) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.put("k", "0"));
  SharedNote<std::atomic<std::uint64_t>> written;
  SharedNote<std::atomic<bool>> stop;
  Child writer([&] {
    for (std::uint64_t number = 1; !stop->load(); ++number) {
      require(dict.put("k", std::to_string(number)));
      written->store(number);
    }
  });
  Sighting seen;
  Buffer buffer;
  Record record;
  ASSERT_TRUE(dict.find("k", &seen, &buffer, &record));
  std::string value(record.value);
  // Until the writer has done something beside all that.
  for (std::uint64_t i = 0; i < 200'000 || written->load() < 5000; ++i) {
    const std::uint64_t acknowledged = written->load();
    if (seen.current()) {
      ASSERT_GE(std::stoull(value), acknowledged);
      continue;
    }
    bool moved = false;
    const Status status = dict.reread(&seen, &buffer, &record, &moved);
    if (!status) {
      ASSERT_TRUE(dict.find("k", &seen, &buffer, &record));
    }
    if (!moved) value.assign(record.value);
  }
  stop->store(true);
  EXPECT_EQ(writer.wait(), 0);
}

// Neither a stopped writer nor one that died stops a reader.
TEST(Reader, ReadsWhileTheLockIsHeldByAStoppedProcess) {
  const Scratch scratch;
  Dict dict = scratch.open();
  for (std::uint64_t i = 0; i < 1000; ++i) ASSERT_TRUE(dict.put(key(i), marked_value(key(i), i, 30)));
  Gate locked;
  Child holder([&] {
    require(dict.lock());
    locked.open();
    (void)::raise(SIGSTOP);
    require(dict.unlock());
  });
  locked.wait();
  for (std::uint64_t i = 0; i < 1000; ++i) EXPECT_TRUE(is_marked(key(i), value_of(dict, key(i))));
  EXPECT_EQ(dict.contains("absent").code(), Code::not_found);
  EXPECT_EQ(content_of(dict).size(), 1000U);
  EXPECT_TRUE(dict.owner().number != 0 && !dict.owner().here);
  holder.kill_and_wait();
  EXPECT_TRUE(dict.put("k", "v"));
}

}  // namespace
}  // namespace ultradict::test
