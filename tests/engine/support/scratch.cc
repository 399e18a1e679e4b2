// SPDX-License-Identifier: Apache-2.0
#include "support/scratch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace ultradict::test {

namespace {

std::string base() {
  if (::access("/dev/shm", W_OK) == 0) return "/dev/shm";
  const char* chosen = std::getenv("TMPDIR");
  return chosen && *chosen ? chosen : "/tmp";
}

}  // namespace

Scratch::Scratch() : path_(base() + "/ultradict-test-XXXXXX") {
  if (!::mkdtemp(path_.data())) ADD_FAILURE() << "no scratch directory at " << path_;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Options Scratch::options(Create create) const {
  Options options;
  options.create = create;
  options.directory = path_;
  options.auto_unlink = false;
  return options;
}

Options Scratch::mortal(Create create) const {
  Options made = options(create);
  made.auto_unlink = true;
  return made;
}

Dict Scratch::open(const std::string& name, Create create) const { return open(name, options(create)); }

Dict Scratch::open(const std::string& name, const Options& options) const {
  Dict dict;
  const Status status = Dict::open(name, options, &dict);
  EXPECT_TRUE(status) << status.message();
  return dict;
}

bool exists(const Scratch& scratch, const std::string& name) {
  Dict dict;
  return Dict::open(name, scratch.options(Create::never), &dict).code() == Code::ok;
}

std::size_t dicts_in(const Scratch& scratch) {
  const std::filesystem::directory_iterator all(scratch.path() + "/d");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace ultradict::test
