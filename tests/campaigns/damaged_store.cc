// SPDX-License-Identifier: Apache-2.0
#include "damaged_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>

#include "os/directory.h"
#include "support/child.h"

namespace ultradict::test {

namespace {

constexpr unsigned case_seconds_max = 10;
constexpr rlim_t memory_max = 1ULL << 30;
constexpr int failures_shown = 20;

std::string key_of(int number) { return "k" + std::to_string(number); }

void write_whole(const std::string& path, const std::string& bytes) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct stat status {};
  require(file >= 0 && ::fstat(file, &status) == 0);
  const auto size = static_cast<off_t>(bytes.size());
  if (status.st_size != size) require(::ftruncate(file, size) == 0);
  require(::pwrite(file, bytes.data(), bytes.size(), 0) == size);
  ::close(file);
}

std::string said(const char* what, const std::string& key, const Status& status) {
  return std::string(what) + " of " + key + ": code " + std::to_string(static_cast<int>(status.code())) + " " +
         status.message();
}

// Overwritten keys, whose old records are as long as the new ones, and deleted ones; a nested dict; a blob.
void fill(Dict& dict, int keys, std::size_t value_size) {
  for (int i = 0; i < keys; ++i) require(dict.put(key_of(i), marked_value(key_of(i), 1, value_size)));
  for (int i = 0; i < keys; i += 3) require(dict.put(key_of(i), marked_value(key_of(i), 2, value_size)));
  for (int i = 0; i < keys; i += 7) require(dict.erase(key_of(i)));
  Dict child;
  require(dict.put_new_child("child", &child));
  require(child.put("x", marked_value("x", 1, value_size)));
  require(dict.put("blob", marked_value("blob", 1, blob_size_min + 100)));
}

void limit_memory() {
  if (is_sanitized()) return;
  const struct rlimit limit { memory_max, memory_max };
  require(::setrlimit(RLIMIT_AS, &limit) == 0);
}

struct Progress {
  std::atomic<std::uint64_t> next;
  std::atomic<std::uint64_t> ran;
  char wrong[512];
};

}  // namespace

DamagedStore::DamagedStore(int keys, std::size_t value_size) {
  Options options = scratch_.options();
  options.buffer_size = 44 * 1024;
  Dict dict = scratch_.open("dict", options);
  fill(dict, keys, value_size);
  content_ = content_of(dict);
  directory_ = directory_of(dict);
  EXPECT_EQ(unsoundness_of(dict), "");
  EXPECT_TRUE(dict.close());
  for (const auto& file : std::filesystem::directory_iterator(directory_)) {
    files_[file.path().filename()] = read_file(file.path());
  }
}

std::size_t DamagedStore::size() const {
  std::size_t size = 0;
  for (const auto& [name, bytes] : files_) size += bytes.size();
  return size;
}

char& DamagedStore::at(Files& files, std::size_t offset) const {
  auto file = files.begin();
  for (; offset >= file->second.size(); ++file) offset -= file->second.size();
  return file->second[offset];
}

Status DamagedStore::open(Dict* dict) const { return Dict::open("dict", scratch_.options(Create::never), dict); }

void DamagedStore::write(const Files& files) const {
  (void)os::list_directory(directory_.c_str(), [&](const char* name) {
    if (!files.contains(name)) ::unlink(path_of(name).c_str());
  });
  for (const auto& [name, bytes] : files) write_whole(path_of(name), bytes);
}

std::string DamagedStore::wrong_keys(const Dict& dict) const {
  Dict child;
  const Status opened = dict.open_child("child", &child);
  for (const auto& [key, expected] : content_) {
    const bool is_inner = key == "child/x";
    if (expected == nested_value || (is_inner && !opened)) continue;
    std::string value;
    const Status status = is_inner ? child.get("x", &value) : dict.get(key, &value);
    if (status ? value != expected : status.code() == Code::not_found || status.code() == Code::is_dict)
      return said(status ? "a wrong value" : "an answer", key, status);
  }
  if (opened.code() == Code::not_found || opened.code() == Code::no_such_dict) return said("a link", "child", opened);
  const Status absent = dict.contains("absent");
  return absent ? "a key that was never there" : "";
}

std::string DamagedStore::wrong_walk(const Dict& dict) const {
  Content expected;
  for (const auto& item : content_) {
    if (item.first != "child/x") expected.push_back(item);
  }
  Cursor cursor(dict);
  Sighting seen;
  Buffer buffer;
  Record record;
  std::size_t at = 0;
  Status status;
  for (; (status = cursor.next(&seen, &buffer, &record)); ++at) {
    const std::string key(record.canonical);
    if (at == expected.size() || key != expected[at].first) return "a walk meets " + key + " out of turn";
    const bool is_plain = !record.is_blob && record.child.number == 0;
    if (is_plain && record.value != expected[at].second) return "a walk meets a wrong value of " + key;
  }
  if (status.code() == Code::not_found && at != expected.size()) return "a walk ends after " + std::to_string(at);
  return "";
}

std::string DamagedStore::wrong_of(const Dict& dict) const {
  std::string wrong = wrong_keys(dict);
  return wrong.empty() ? wrong_walk(dict) : wrong;
}

// What was acknowledged is read back, and does nothing to other keys.
std::string DamagedStore::wrong_writes(Dict& dict) const {
  for (int i = 0; i < 12; ++i) {
    const std::string key = "new" + std::to_string(i);
    const std::string value = marked_value(key, 3, 50 + 40 * static_cast<std::size_t>(i));
    if (!dict.put(key, value)) break;
    std::string found;
    const Status status = dict.get(key, &found);
    if (status ? found != value : status.code() == Code::not_found) return said("what was just put", key, status);
  }
  for (int i = 0; i < 12; ++i) {
    const Status status = dict.erase("new" + std::to_string(i));
    if (status && dict.contains("new" + std::to_string(i))) return "a key that was just erased";
  }
  return "";
}

std::string DamagedStore::wrong_after_use() const {
  Dict dict;
  const Status opened = open(&dict);
  if (opened.code() == Code::not_found) return said("opening", "dict", opened);
  if (!opened) return "";
  std::string wrong = wrong_of(dict);
  if (wrong.empty()) wrong = wrong_writes(dict);
  if (wrong.empty()) wrong = wrong_of(dict);
  if (!wrong.empty()) return wrong;
  (void)dict.check();
  (void)dict.clean();
  wrong = wrong_of(dict);
  if (wrong.empty() && dict.clear() && dict.count() != 0) wrong = "keys after a clear";
  return wrong;
}

std::uint64_t run_cases(std::uint64_t begin, std::uint64_t end, std::uint64_t step,
                        const std::function<std::string(std::uint64_t)>& one) {
  SharedNote<Progress> progress;
  progress->next = begin;
  int failures = 0;
  while (progress->next < end && failures < failures_shown) {
    progress->wrong[0] = '\0';
    const int ended = in_child([&] {
      limit_memory();
      while (progress->next < end) {
        ::alarm(case_seconds_max);
        const std::string wrong = one(progress->next);
        if (!wrong.empty()) {
          std::strncpy(progress->wrong, wrong.c_str(), sizeof progress->wrong - 1);
          ::_exit(2);
        }
        progress->next += step;
        ++progress->ran;
      }
    });
    if (ended == 0) break;
    ADD_FAILURE() << "case " << progress->next << " ended with " << ended << ": " << progress->wrong;
    ++failures;
    progress->next += step;
  }
  return progress->ran;
}

}  // namespace ultradict::test
