// SPDX-License-Identifier: Apache-2.0
#include "support/small_memory.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ultradict::test {

SmallMemory::SmallMemory(std::uint64_t size, std::uint64_t inodes) : path_(scratch_.path() + "/small") {
  ::mkdir(path_.c_str(), 0700);
  const std::string options = "mode=0700,size=" + std::to_string(size) + ",nr_inodes=" + std::to_string(inodes);
  mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, options.c_str()) == 0;
}

SmallMemory::~SmallMemory() {
  if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
}

Options SmallMemory::options(Create create) const {
  Options options = scratch_.options(create);
  options.directory = path_;
  return options;
}

std::uint64_t SmallMemory::free_pages() const {
  struct statfs status {};
  return ::statfs(path_.c_str(), &status) == 0 ? status.f_bavail : 0;
}

void SmallMemory::fill_up(std::uint64_t pages_max) const {
  std::ofstream file(filler(), std::ios::binary | std::ios::app);
  const std::string page(4096, 'x');
  for (; pages_max > 0; --pages_max) {
    if (!file.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) return;
  }
}

void SmallMemory::empty() const { ::unlink(filler().c_str()); }

void SmallMemory::give_back_page() const {
  const std::uintmax_t size = std::filesystem::file_size(filler());
  std::filesystem::resize_file(filler(), size - std::min<std::uintmax_t>(size, 4096));
}

}  // namespace ultradict::test
