// SPDX-License-Identifier: Apache-2.0
// MemoryGroup: a memory control group beneath the own one; the kernel kills in it who takes more than its limit. Not
// there where no group may be made.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace ultradict::test {

class MemoryGroup {
 public:
  explicit MemoryGroup(std::uint64_t size);
  ~MemoryGroup();
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;

  bool is_there() const { return !path_.empty(); }
  bool take_in(pid_t pid) const;

 private:
  std::string path_;
};

}  // namespace ultradict::test
