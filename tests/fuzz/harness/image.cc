// SPDX-License-Identifier: Apache-2.0
#include "harness/image.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "harness/input.h"
#ifdef ULTRADICT_FUZZ_IN_MEMORY
#include "memory/files.h"
#endif
#include "os/directory.h"
#include "os/liveness_token.h"

namespace ultradict::fuzz {

namespace {

void remove_directory() { std::filesystem::remove_all(directory()); }

void expect_done(const Fault& fault, const char* what) { expect(!fault, what); }

std::string read_whole(const char* path) {
  os::File file;
  os::Size size = 0;
  expect_done(os::open_file(path, &file), "a file of the image can be opened");
  expect_done(os::file_size(file, &size), "a file of the image has a size");
  std::string bytes(size, '\0');
  expect_done(os::read_at(file, 0, bytes.data(), size), "a file of the image can be read");
  return bytes;
}

void write_whole(const char* path, const std::string& bytes) {
  os::File file;
  if (os::open_file(path, &file)) expect_done(os::create_file(path, 0600, &file), "a file of the image can be made");
  expect_done(os::write_at(file, 0, bytes.data(), bytes.size()), "a file of the image is written");
  // Also where it has it: what lies behind in its last page goes.
  expect_done(os::truncate(file, bytes.size()), "a file of the image gets its size");
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

void expect_all_closed() {
#ifdef ULTRADICT_FUZZ_IN_MEMORY
  memory::Files::instance().expect_left(1);  // the token's
#endif
}

Image::Image(const std::string& name, const Options& how, void (*fill)(Dict&)) : name_(name) {
  (void)participant_word();
  Dict dict;
  expect(static_cast<bool>(Dict::open(name, how, &dict)), "the dict of the image is made");
  fill(dict);
  expect(dict.check().sound(), "the dict of the image is sound");
  id_ = dict.id();
  expect_done(os::Directory::open(directory(), &directory_), "the directory is opened");
  expect(static_cast<bool>(dict.close()), "the dict of the image is closed");
  for (const std::string& file : names()) files_[file] = read_whole(directory_.data_path(id_, file.c_str()));
}

std::vector<std::string> Image::names() const {
  std::vector<std::string> names;
  (void)os::list_directory(directory_.data_path(id_), [&](const char* name) { names.emplace_back(name); });
  return names;
}

void Image::copy_to(Files* files) const {
  std::erase_if(*files, [&](const auto& file) { return !files_.contains(file.first); });
  for (const auto& [name, bytes] : files_) (*files)[name].assign(bytes);
}

void Image::write(const Files& files) const {
  // Who finds a dict whose identity says another name, or that its creator is dead, removes it.
  (void)directory_.make_data_directory(id_, 0700);
  (void)directory_.publish(name_, id_);
  for (const std::string& name : names()) {
    if (!files.contains(name)) os::remove_file(directory_.data_path(id_, name.c_str()));
  }
  for (const auto& [name, bytes] : files) write_whole(directory_.data_path(id_, name.c_str()), bytes);
}

}  // namespace ultradict::fuzz
