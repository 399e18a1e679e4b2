// SPDX-License-Identifier: Apache-2.0
// Control files that are not what they should be: each is refused with words that say what to do, none is a crash, a
// hang or a wrong value.
#include "store/identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/hash.h"
#include "store/dict_files.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

namespace fs = std::filesystem;

std::string name_of_key(int number) { return "k" + std::to_string(number); }

// A closed dict whose files a test may damage.
class Closed {
 public:
  explicit Closed(int keys = 20, std::size_t value_size = 60) {
    Dict dict = scratch.open();
    for (int i = 0; i < keys; ++i) {
      const std::string key = name_of_key(i);
      EXPECT_TRUE(dict.put(key, marked_value(key, static_cast<std::uint64_t>(i), value_size)));
    }
    for (int i = 0; i < keys; i += 5) EXPECT_TRUE(dict.erase(name_of_key(i)));
    content = content_of(dict);
    directory = directory_of(dict);
    EXPECT_TRUE(dict.close());
    fs::copy(directory, scratch.path() + "/whole");
  }

  // As it was before it was damaged and used.
  void restore() const {
    fs::remove_all(directory);
    fs::copy(scratch.path() + "/whole", directory);
  }

  Status open(Dict* dict) const { return Dict::open("dict", scratch.options(Create::if_missing), dict); }
  Code open_code(std::string* message = nullptr) const {
    Dict dict;
    const Status status = open(&dict);
    if (message) *message = status.message();
    return status.code();
  }
  std::string control() const { return directory + "/" + DictFiles::control(); }
  std::string file_beginning(const std::string& prefix) const {
    std::string found;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.path().filename().string().starts_with(prefix)) found = entry.path().string();
    }
    return found;
  }

  Scratch scratch;
  Content content;
  std::string directory;
};

void expect_gone_after_unlink(const Closed& closed) {
  EXPECT_TRUE(Dict::unlink("dict", closed.scratch.path()));
  EXPECT_FALSE(fs::exists(closed.directory));
  EXPECT_EQ(closed.open_code(), Code::ok);
}

TEST(Identity, E13_OfAnotherFormatVersionIsRefusedByBothNumbers) {
  const Closed closed;
  std::string bytes = read_file(closed.control());
  bytes[offsetof(Identity, format_version)] = 77;
  write_file(closed.control(), bytes);
  std::string message;
  EXPECT_EQ(closed.open_code(&message), Code::other_format);
  EXPECT_NE(message.find("77"), message.npos) << message;
  EXPECT_NE(message.find(std::to_string(format_version)), message.npos) << message;
  expect_gone_after_unlink(closed);
}

TEST(Identity, E13_OfAZeroedFileIsRefused) {
  const Closed closed;
  write_file(closed.control(), std::string(read_file(closed.control()).size(), '\0'));
  std::string message;
  EXPECT_EQ(closed.open_code(&message), Code::damaged);
  EXPECT_NE(message.find("'dict'"), message.npos) << message;
  EXPECT_NE(message.find("unlink"), message.npos) << message;
  expect_gone_after_unlink(closed);
}

// Damage with the right checksum.
TEST(Identity, E9_OfPartsThatCannotBeIsRefused) {
  const Closed closed;
  const std::string bytes = read_file(closed.control());
  for (Word Identity::*const part : {&Identity::slots_offset, &Identity::entries_offset, &Identity::segment_size,
                                     &Identity::name_size, &Identity::attributes_size}) {
    Identity identity{};
    std::memcpy(&identity, bytes.data(), sizeof identity);
    identity.*part += 4096;
    identity.checksum = 0;
    identity.checksum = checksum64(&identity, sizeof identity);
    std::string damaged = bytes;
    std::memcpy(damaged.data(), &identity, sizeof identity);
    write_file(closed.control(), damaged);
    EXPECT_EQ(closed.open_code(), Code::damaged);
  }
  write_file(closed.control(), bytes);
  EXPECT_EQ(closed.open_code(), Code::ok);
}

TEST(Identity, E2_E13_OfATruncatedFileIsRefusedAtEveryLength) {
  const Closed closed;
  const std::string bytes = read_file(closed.control());
  for (std::size_t size = 0; size < bytes.size(); size += size < 300 ? 1 : 511) {
    write_file(closed.control(), bytes.substr(0, size));
    ASSERT_EQ(closed.open_code(), Code::damaged) << size;
  }
  write_file(closed.control(), bytes + std::string(4096, '\0'));
  EXPECT_EQ(closed.open_code(), Code::damaged);
  write_file(closed.control(), bytes);
  EXPECT_EQ(closed.open_code(), Code::ok);
  write_file(closed.control(), "");
  expect_gone_after_unlink(closed);
}

TEST(Identity, E13_SomethingElseInPlaceOfTheFileIsRefused) {
  for (int kind = 0; kind < 4; ++kind) {
    const Closed closed;
    fs::remove(closed.control());
    if (kind == 0) {
      ASSERT_EQ(::mkfifo(closed.control().c_str(), 0600), 0);
    }
    if (kind == 1) fs::create_directory(closed.control());
    if (kind == 2) fs::create_symlink("/dev/zero", closed.control());
    if (kind == 3) fs::create_symlink(closed.scratch.path() + "/token", closed.control());
    const Code code = closed.open_code();
    EXPECT_TRUE(code != Code::ok && code != Code::not_found) << "kind " << kind << " code " << static_cast<int>(code);
  }
}

TEST(Identity, FileOfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const Closed closed;
  ASSERT_EQ(::chown(closed.control().c_str(), 4711, 4711), 0);
  EXPECT_EQ(closed.open_code(), Code::forbidden);
}

TEST(Identity, DirectoryOfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give directories away";
  const Closed closed;
  ASSERT_EQ(::chown(closed.scratch.path().c_str(), 4711, 4711), 0);
  EXPECT_EQ(closed.open_code(), Code::forbidden);
  ASSERT_EQ(::chown(closed.scratch.path().c_str(), 0, 0), 0);
  ASSERT_EQ(::chmod(closed.scratch.path().c_str(), 0777), 0);
  EXPECT_EQ(closed.open_code(), Code::forbidden);
}

TEST(Identity, E9_OfAnotherDictInItsPlaceIsRefused) {
  const Closed closed;
  Dict other = closed.scratch.open("other");
  fs::copy_file(directory_of(other) + "/control", closed.control(), fs::copy_options::overwrite_existing);
  EXPECT_EQ(closed.open_code(), Code::damaged);
}

TEST(Identity, MadeWithAnotherTokenFileIsRefused) {
  const Closed closed;
  fs::remove(closed.scratch.path() + "/token");
  std::string message;
  EXPECT_EQ(closed.open_code(&message), Code::damaged);
  EXPECT_NE(message.find("token"), message.npos) << message;
}

TEST(Identity, TokenFileThatIsNoneIsRefused) {
  for (const std::string& bytes : {std::string(), std::string(4096, 'x'), std::string(20, '\0')}) {
    const Closed closed;
    write_file(closed.scratch.path() + "/token", bytes);
    const Code code = closed.open_code();
    EXPECT_EQ(code, Code::damaged);
  }
}

TEST(Identity, NameThatLeadsNowhereIsDropped) {
  const Closed closed;
  fs::remove_all(closed.directory);
  Dict dict;
  EXPECT_EQ(Dict::open("dict", closed.scratch.options(Create::never), &dict).code(), Code::no_such_dict);
  EXPECT_EQ(closed.open_code(), Code::ok);
}

TEST(Identity, NameThatIsNoLinkIsRefused) {
  const Closed closed;
  write_file(closed.scratch.path() + "/n/file", "x");
  fs::create_symlink("../../../../etc", closed.scratch.path() + "/n/out");
  Dict dict;
  EXPECT_EQ(Dict::open("file", closed.scratch.options(), &dict).code(), Code::damaged);
  EXPECT_EQ(Dict::open("out", closed.scratch.options(), &dict).code(), Code::damaged);
}

// Whatever may have happened to the bytes: an error, or values that are right. In a process of its own, for a crash is
// what is looked for.
void use_damaged(const Closed& closed) {
  ::alarm(20);
  Dict dict;
  if (!closed.open(&dict)) return;
  const auto is_right = [&](const std::string& key, const std::string& value) { return is_marked(key, value); };
  for (const auto& [key, expected] : closed.content) {
    std::string value;
    const Status status = dict.get(key, &value);
    if (status) require(value == expected);
    require(status.code() != Code::not_found);
  }
  Cursor cursor(dict);
  Sighting seen;
  Buffer buffer;
  Record record;
  for (std::size_t i = 0; i <= 2 * closed.content.size() && cursor.next(&seen, &buffer, &record); ++i) {
    if (!record.is_blob) require(is_right(std::string(record.canonical), std::string(record.value)));
  }
  for (int i = 0; i < 30; ++i) {
    const std::string key = name_of_key(i);
    if (!dict.put(key, marked_value(key, 1000, 700))) break;
    std::string value;
    if (dict.get(key, &value)) require(is_right(key, value));
  }
  (void)dict.erase(name_of_key(7));
  (void)dict.clean();
  (void)dict.check();
  (void)dict.clear();
}

// All bits of the words that steer the dict, a sample of the rest.
TEST(Identity, E1_FlippedBitIsAnErrorOrHarmless) {
  if (forks_are_slow()) GTEST_SKIP() << "thousands of forks";
  const Closed closed;
  const std::string bytes = read_file(closed.control());
  Random random(9);
  const std::size_t flips = is_sanitized() ? 300 : 3000;
  for (std::size_t flip = 0; flip < flips; ++flip) {
    const bool steers = flip % 3 != 0;
    const std::size_t state = offsetof(Control, lock);
    const std::size_t place =
        steers ? state + random.below(offsetof(Control, journal) + 64 - state) : random.below(bytes.size());
    std::string damaged = bytes;
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << random.below(8)));
    closed.restore();
    write_file(closed.control(), damaged);
    ASSERT_EQ(in_child([&] { use_damaged(closed); }), 0) << "byte " << place << " flip " << flip;
  }
}

// The bytes of a word of control replaced by numbers that lie.
TEST(Identity, E4_E7_WordsThatLieAreAnErrorOrHarmless) {
  if (forks_are_slow()) GTEST_SKIP() << "thousands of forks";
  const Closed closed;
  const std::string bytes = read_file(closed.control());
  const std::size_t begin = offsetof(Control, lock);
  const std::size_t end = offsetof(Control, journal) + 64;
  const std::size_t stride = is_sanitized() ? 3 * sizeof(Word) : sizeof(Word);
  for (std::size_t place = begin; place < end; place += stride) {
    for (const Word lie : {~Word{0}, Word{1} << 62, Word{1} << 32, Word{0}, Word{7}}) {
      std::string damaged = bytes;
      std::memcpy(damaged.data() + place, &lie, sizeof lie);
      closed.restore();
      write_file(closed.control(), damaged);
      ASSERT_EQ(in_child([&] { use_damaged(closed); }), 0) << "offset " << place << " := " << lie;
    }
  }
}

TEST(Identity, E4_E7_SegmentsThatLieAreAnErrorOrHarmless) {
  if (forks_are_slow()) GTEST_SKIP() << "thousands of forks";
  const Closed closed(60, 900);
  const std::string bytes = read_file(closed.control());
  for (std::size_t word = 0; word < 5 * sizeof(SegmentDescriptor) / sizeof(Word); ++word) {
    for (const Word lie : {~Word{0}, Word{1} << 40, Word{0}, Word{24}, Word{4096}}) {
      std::string damaged = bytes;
      std::memcpy(damaged.data() + offsetof(Control, segments) + word * sizeof(Word), &lie, sizeof lie);
      closed.restore();
      write_file(closed.control(), damaged);
      ASSERT_EQ(in_child([&] { use_damaged(closed); }), 0) << "word " << word << " := " << lie;
    }
  }
}

// A dict too large to be checked on attach, with each of its files cut off.
TEST(Identity, E2_TruncatedFilesOfALargeDictAreAnError) {
  if (forks_are_slow()) GTEST_SKIP() << "many forks";
  const Closed closed(3000, 900);
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(closed.directory)) files.push_back(entry.path().string());
  ASSERT_GE(files.size(), 4U);
  for (const std::string& file : files) {
    if (file == closed.control()) continue;
    const std::string bytes = read_file(file);
    for (const std::size_t size : {std::size_t{0}, std::size_t{100}, bytes.size() / 2 / 4096 * 4096, bytes.size() / 3,
                                   bytes.size() - 4096, bytes.size() - 1}) {
      closed.restore();
      write_file(file, bytes.substr(0, size));
      EXPECT_EQ(in_child([&] { use_damaged(closed); }), 0) << file << " cut to " << size;
    }
  }
}

// At a page's end, so that nothing is mapped where the rest of the record was.
TEST(Identity, E2_AShortRecordThatIsCutInTwoIsAnError) {
  const Closed closed(10'000, 100);
  const std::string file = closed.file_beginning("segment-");
  ASSERT_NE(file, "");
  const std::string bytes = read_file(file);
  for (std::size_t pages = 1; pages <= 8; ++pages) {
    closed.restore();
    write_file(file, bytes.substr(0, bytes.size() / 2 / page_size * page_size - pages * page_size));
    EXPECT_EQ(in_child([&] { use_damaged(closed); }), 0) << pages;
  }
}

TEST(Identity, E2_MissingFilesOfALargeDictAreAnErrorNotAnAbsence) {
  const Closed closed(3000, 900);
  for (const char* kind : {"entries-", "slots-", "segment-"}) {
    const std::string file = closed.file_beginning(kind);
    ASSERT_NE(file, "") << kind;
    fs::remove(file);
    EXPECT_EQ(in_child([&] {
                Dict dict;
                const Status opened = closed.open(&dict);
                require(opened.code() != Code::not_found);
                if (!opened) return;
                for (const auto& [key, value] : closed.content) require(dict.contains(key).code() != Code::not_found);
                for (const auto& [key, value] : closed.content) {
                  require(dict.put(key, value).code() != Code::not_found);
                  require(dict.erase(key).code() != Code::not_found);
                }
              }),
              0)
        << kind;
    closed.restore();
  }
}

}  // namespace
}  // namespace ultradict::test
