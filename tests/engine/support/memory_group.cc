// SPDX-License-Identifier: Apache-2.0
#include "support/memory_group.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace ultradict::test {

namespace {

// Of the first version of groups, one hierarchy per controller: "4:memory:/path". Of the second: "0::/path".
std::string own_group() {
  std::ifstream file("/proc/self/cgroup");
  std::string unified;
  for (std::string line; std::getline(file, line);) {
    const std::size_t begin = line.find(':');
    const std::size_t end = line.find(':', begin + 1);
    const std::string controllers = line.substr(begin + 1, end - begin - 1);
    if (controllers == "memory") return "/sys/fs/cgroup/memory" + line.substr(end + 1);
    if (controllers.empty()) unified = "/sys/fs/cgroup" + line.substr(end + 1);
  }
  return unified;
}

bool write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  return file && file << text && file.flush();
}

}  // namespace

MemoryGroup::MemoryGroup(std::uint64_t size) : path_(own_group() + "/ultradict-test-" + std::to_string(::getpid())) {
  if (::mkdir(path_.c_str(), 0755) == 0 && (write(path_ + "/memory.limit_in_bytes", std::to_string(size)) ||
                                            write(path_ + "/memory.max", std::to_string(size)))) {
    (void)(write(path_ + "/memory.memsw.limit_in_bytes", std::to_string(size)) ||
           write(path_ + "/memory.swap.max", "0"));
    return;
  }
  ::rmdir(path_.c_str());
  path_.clear();
}

MemoryGroup::~MemoryGroup() {
  if (is_there()) ::rmdir(path_.c_str());
}

bool MemoryGroup::take_in(pid_t pid) const { return write(path_ + "/cgroup.procs", std::to_string(pid)); }

}  // namespace ultradict::test
