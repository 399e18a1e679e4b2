// SPDX-License-Identifier: Apache-2.0
// The golden dict: made once by generate.cc, kept as files, and still read, checked and written by this build.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "content.h"
#include "layout.h"

namespace ultradict::golden {
namespace {

namespace fs = std::filesystem;

// A copy of the golden directory, with the permissions that git does not keep, and its dict opened by name.
class GoldenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = ::testing::TempDir() + "ultradict-golden-XXXXXX";
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    directory_ = made;
    const fs::path source =
        fs::path(ULTRADICT_SOURCE_DIR) / "tests/golden" / ("format-" + std::to_string(format_version));
    fs::copy(source, directory_, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    for (const fs::directory_entry& found : fs::recursive_directory_iterator(directory_)) {
      if (!found.is_symlink()) fs::permissions(found, found.is_directory() ? fs::perms(0700) : fs::perms(0600));
    }
  }
  void TearDown() override {
    (void)dict_.close();
    if (!directory_.empty()) fs::remove_all(directory_);
  }

  Status open() {
    Options options;
    options.create = Create::never;
    options.directory = directory_;
    return Dict::open(name, options, &dict_);
  }

  fs::path control() const { return directory_ / "d" / fs::read_symlink(directory_ / "n" / name) / "control"; }

  void overwrite_word(std::size_t offset, Word word) const {
    std::fstream file(control(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(reinterpret_cast<const char*>(&word), sizeof word);
  }

  fs::path directory_;
  Dict dict_;
};

std::string value_of(const Dict& dict, const Sighting& seen, const Record& record) {
  if (!record.is_blob) return std::string(record.value);
  std::string bytes(record.value_size, '\0');
  const Status status = dict.read_blob(seen, bytes.size(), bytes.data());
  EXPECT_TRUE(status) << status.message();
  return bytes;
}

std::vector<StoredItem> all_items(const Dict& dict) {
  std::vector<StoredItem> found;
  Cursor cursor(dict);
  Sighting seen;
  Buffer buffer;
  Record record;
  while (cursor.next(&seen, &buffer, &record)) {
    StoredKey key{std::string(record.canonical), std::string(record.face), record.exotic};
    found.push_back({key, value_of(dict, seen, record), record.child.number != 0});
  }
  return found;
}

void expect_items(const std::vector<StoredItem>& found, const std::vector<StoredItem>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t number = 0; number < found.size(); ++number) {
    SCOPED_TRACE("item " + std::to_string(number));
    EXPECT_EQ(found[number].key.canonical, expected[number].key.canonical);
    EXPECT_EQ(found[number].key.face, expected[number].key.face);
    EXPECT_EQ(found[number].key.exotic, expected[number].key.exotic);
    EXPECT_EQ(found[number].value, expected[number].value);
    EXPECT_EQ(found[number].is_dict, expected[number].is_dict);
  }
}

std::string first_finding(const Dict& dict) {
  const Findings findings = dict.check();
  return findings.sound() ? "" : findings.broken.front();
}

TEST_F(GoldenTest, EveryKeyHasItsValueInItsPlace) {
  const Status status = open();
  ASSERT_TRUE(status) << status.message();
  expect_items(all_items(dict_), items());
  EXPECT_EQ(first_finding(dict_), "");
}

TEST_F(GoldenTest, EveryKeyIsFoundByItsHash) {
  ASSERT_TRUE(open());
  for (const StoredItem& item : items()) {
    std::string value;
    EXPECT_EQ(dict_.get(item.key.canonical, &value).code(), item.is_dict ? Code::is_dict : Code::ok);
    EXPECT_EQ(value, item.value);
  }
  EXPECT_EQ(dict_.contains(plain("gone").canonical).code(), Code::not_found);
}

TEST_F(GoldenTest, ItsNestedDictIsReadAndWrittenTo) {
  ASSERT_TRUE(open());
  Dict nested;
  const Status status = dict_.open_child(plain("nested").canonical, &nested);
  ASSERT_TRUE(status) << status.message();
  expect_items(all_items(nested), {inner_item()});
  ASSERT_TRUE(put(nested, "apple", "pear"));
  EXPECT_EQ(get<std::string>(nested, "apple"), "pear");
  EXPECT_EQ(get<int>(dict_, "apple"), 3);
  EXPECT_EQ(first_finding(dict_), "");
}

TEST_F(GoldenTest, WhatItsCreatorDecidedIsKnown) {
  ASSERT_TRUE(open());
  EXPECT_EQ(dict_.count(), items().size());
  EXPECT_EQ(dict_.exotic_count(), 1U);
  EXPECT_EQ(dict_.attributes(), attributes);
  EXPECT_EQ(dict_.options().buffer_size, 1U);
  EXPECT_FALSE(dict_.options().auto_unlink);
  EXPECT_EQ(dict_.options().mode, 0600U);
  EXPECT_FALSE(dict_.is_creator());
  EXPECT_EQ(dict_.stats().blobs, 1U);
}

TEST_F(GoldenTest, ItIsWrittenTo) {
  ASSERT_TRUE(open());
  for (int number = 0; number < 1000; ++number) {
    ASSERT_TRUE(put(dict_, "new", number));
    ASSERT_TRUE(put(dict_, number + 1000, "many"));
  }
  ASSERT_TRUE(put(dict_, "apple", "pear"));
  ASSERT_TRUE(erase(dict_, ByteString{"large"}));
  EXPECT_EQ(get<int>(dict_, "new"), 999);
  EXPECT_EQ(get<std::string>(dict_, "apple"), "pear");
  EXPECT_EQ(dict_.count(), items().size() + 1000);
  EXPECT_EQ(dict_.stats().blobs, 0U);
  EXPECT_EQ(first_finding(dict_), "");
}

TEST_F(GoldenTest, WhatWasWrittenIsThereForTheNext) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(put(dict_, "last", "overwritten"));
  ASSERT_TRUE(dict_.close());
  const Status status = open();
  ASSERT_TRUE(status) << status.message();
  EXPECT_EQ(get<std::string>(dict_, "last"), "overwritten");
}

TEST_F(GoldenTest, AnotherFormatIsRefusedByAMessageThatNamesBoth) {
  overwrite_word(offsetof(Identity, format_version), format_version + 1);
  const Status status = open();
  EXPECT_EQ(status.code(), Code::other_format);
  const std::string message = status.message();
  EXPECT_NE(message.find("has byte format " + std::to_string(format_version + 1)), message.npos) << message;
  EXPECT_NE(message.find("reads format " + std::to_string(format_version)), message.npos) << message;
  EXPECT_TRUE(fs::exists(control())) << "what cannot be read must not be removed";
}

}  // namespace
}  // namespace ultradict::golden
