// SPDX-License-Identifier: Apache-2.0
// What a process holds of the kernel: mappings and descriptors, as /proc shows them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ultradict::test {

std::uint64_t mappings_under(const std::string& path);       // number of mappings of files there, removed or not
std::uint64_t mapped_deleted_size(const std::string& path);  // bytes of mappings of files there that were removed
std::vector<std::uint64_t> mapped_places(const std::string& path);  // where mappings of files there begin
std::uint64_t open_descriptors();

}  // namespace ultradict::test
