// SPDX-License-Identifier: Apache-2.0
#include "harness/image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "harness/input.h"
#include "os/directory.h"
#include "os/liveness_token.h"
#include "support/scratch.h"

namespace ultradict::fuzz {

namespace {

void remove_directory() { std::filesystem::remove_all(directory()); }

void write_whole(const std::string& path, const std::string& bytes) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct stat status {};
  expect(file >= 0 && ::fstat(file, &status) == 0, "a file of the image can be opened");
  const auto size = static_cast<off_t>(bytes.size());
  if (status.st_size != size) expect(::ftruncate(file, size) == 0, "a file of the image gets its size");
  expect(::pwrite(file, bytes.data(), bytes.size(), 0) == size, "a file of the image is written");
  ::close(file);
}

}  // namespace

const std::string& directory() {
  static const std::string* const path = [] {
    const char* given = std::getenv("ULTRADICT_DIR");
    std::atexit(remove_directory);
    const std::string base = given ? std::string(given) + "/" : "/dev/shm/ultradict-fuzz-";
    if (given) std::filesystem::create_directories(given);
    return new std::string(base + std::to_string(::getpid()));
  }();
  return *path;
}

std::uint64_t participant_word() {
  // Kept: the process is the same participant in every execution.
  static const auto* const token = [] {
    auto* const claimed = new std::shared_ptr<os::LivenessToken>;
    Dict made;
    expect(static_cast<bool>(Dict::open("token", options(Create::if_missing), &made)), "the directory is made");
    expect(!os::LivenessToken::of_directory(directory(), claimed), "the process is a participant");
    return claimed;
  }();
  return (*token)->word();
}

Options options(Create create) {
  Options options;
  options.create = create;
  options.directory = directory();
  options.auto_unlink = false;
  options.buffer_size = 4096;
  return options;
}

Image::Image(const std::string& name, const Options& how, void (*fill)(Dict&)) : name_(name) {
  (void)participant_word();
  Dict dict;
  expect(static_cast<bool>(Dict::open(name, how, &dict)), "the dict of the image is made");
  fill(dict);
  expect(dict.check().sound(), "the dict of the image is sound");
  id_ = dict.id();
  path_ = directory() + "/d/" + id_ + "/";
  expect(static_cast<bool>(dict.close()), "the dict of the image is closed");
  for (const auto& file : std::filesystem::directory_iterator(path_)) {
    files_[file.path().filename()] = test::read_file(file.path());
  }
}

void Image::write(const Files& files) const {
  // Who finds a dict whose identity says another name, or that its creator is dead, removes it.
  (void)::mkdir(path_.c_str(), 0700);
  (void)::symlink(id_.c_str(), (directory() + "/n/" + name_).c_str());
  (void)os::list_directory(path_.c_str(), [&](const char* name) {
    if (!files.contains(name)) ::unlink((path_ + name).c_str());
  });
  for (const auto& [name, bytes] : files) write_whole(path_ + name, bytes);
}

}  // namespace ultradict::fuzz
