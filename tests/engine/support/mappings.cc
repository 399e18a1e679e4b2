// SPDX-License-Identifier: Apache-2.0
#include "support/mappings.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>

namespace ultradict::test {

namespace {

void each_mapping(const std::string& path, const std::function<void(const std::string& line)>& look) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(path) != line.npos) look(line);
  }
}

}  // namespace

std::uint64_t mappings_under(const std::string& path) {
  std::uint64_t count = 0;
  each_mapping(path, [&](const std::string&) { ++count; });
  return count;
}

std::uint64_t mapped_deleted_size(const std::string& path) {
  std::uint64_t size = 0;
  each_mapping(path, [&](const std::string& line) {
    unsigned long long begin = 0;
    unsigned long long end = 0;
    if (line.ends_with("(deleted)") && std::sscanf(line.c_str(), "%llx-%llx", &begin, &end) == 2) size += end - begin;
  });
  return size;
}

std::vector<std::uint64_t> mapped_places(const std::string& path) {
  std::vector<std::uint64_t> places;
  each_mapping(path, [&](const std::string& line) { places.push_back(std::stoull(line, nullptr, 16)); });
  return places;
}

std::uint64_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::uint64_t>(std::distance(begin(all), end(all)));
}

}  // namespace ultradict::test
