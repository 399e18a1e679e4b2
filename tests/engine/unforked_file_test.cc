// SPDX-License-Identifier: Apache-2.0
// Files that children of fork do not get, whenever the fork comes.
#include "os/unforked_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "os/file_lock.h"
#include "support/child.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

using os::HeldByte;
using os::LockKind;
using os::UnforkedFile;

const int forks = is_sanitized() ? 100 : 500;
constexpr int descriptors_max = 256;  // of this test

class UnforkedFiles : public testing::Test {
 protected:
  UnforkedFiles() : path_(scratch_.path() + "/file") { write_file(path_, std::string(4096, 'x')); }

  // How many descriptors of the file this process has.
  int descriptors() const {
    struct stat file {};
    if (::stat(path_.c_str(), &file) != 0) return -1;
    int count = 0;
    for (int descriptor = 0; descriptor < descriptors_max; ++descriptor) {
      struct stat found {};
      const bool is_open = ::fstat(descriptor, &found) == 0;
      if (is_open && found.st_ino == file.st_ino && found.st_dev == file.st_dev) ++count;
    }
    return count;
  }
  bool is_mapped() const { return read_file("/proc/self/maps").find(path_) != std::string::npos; }

  // Forks again and again while two threads do `work`; what the children do must hold in each of them.
  static void fork_amid(const std::function<void()>& work, const std::function<void()>& in_each_child) {
    std::atomic<bool> stop = false;
    const auto go_on = [&] {
      while (!stop) work();
    };
    std::thread first(go_on);
    std::thread second(go_on);
    for (int i = 0; i < forks && !HasFailure(); ++i) EXPECT_EQ(in_child(in_each_child), 0);
    stop = true;
    first.join();
    second.join();
  }

  Scratch scratch_;
  std::string path_;
};

TEST_F(UnforkedFiles, AreNotOpenInAChild) {
  UnforkedFile first;
  ASSERT_FALSE(first.open(path_.c_str()));
  UnforkedFile second(std::move(first));
  UnforkedFile third;
  ASSERT_FALSE(third.open(path_.c_str()));
  third = std::move(second);
  // One that was moved can be used anew. NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  ASSERT_FALSE(second.create((path_ + "-new").c_str(), 0600));
  EXPECT_EQ(descriptors(), 1);
  EXPECT_EQ(in_child([&] { require(!second && !third && descriptors() == 0); }), 0);
  EXPECT_TRUE(second && third);
  third.close();
  EXPECT_EQ(descriptors(), 0);
  EXPECT_EQ(in_child([&] { require(!second && !third); }), 0);
}

TEST_F(UnforkedFiles, OneThatIsTakenIsOpenInAChild) {
  UnforkedFile file;
  EXPECT_FALSE(file.take());
  ASSERT_FALSE(file.open(path_.c_str()));
  const os::File taken = file.take();
  EXPECT_TRUE(taken);
  EXPECT_EQ(in_child([&] { require(descriptors() == 1); }), 0);
  UnforkedFile empty(std::move(file));
  EXPECT_FALSE(empty);
}

TEST_F(UnforkedFiles, ThatCouldNotBeOpenedAreNoneInAChild) {
  UnforkedFile file;
  ASSERT_EQ(file.open((path_ + "-missing").c_str()).code, Code::not_found);
  ASSERT_EQ(file.create(path_.c_str(), 0600).code, Code::already_exists);
  EXPECT_FALSE(file);
  EXPECT_EQ(in_child([&] { require(!file); }), 0);
}

TEST_F(UnforkedFiles, B7_AreNotOpenInAChildWheneverItIsForked) {
  if (forks_are_slow()) GTEST_SKIP() << "forks of a process with threads";
  fork_amid(
      [&] {
        UnforkedFile file;
        EXPECT_FALSE(file.open(path_.c_str()));
        const UnforkedFile moved(std::move(file));
      },
      [&] { require(descriptors() == 0); });
}

TEST_F(UnforkedFiles, B7_MappingThatHoldsALockIsNotThereInAChildWheneverItIsForked) {
  if (forks_are_slow()) GTEST_SKIP() << "forks of a process with threads";
  fork_amid(
      [&] {
        UnforkedFile file;
        EXPECT_FALSE(file.open(path_.c_str()));
        if (os::try_lock_byte(file, 3, LockKind::exclusive)) return;  // the other thread has it
        HeldByte held;
        EXPECT_FALSE(held.keep(std::move(file), false));
      },
      [&] { require(descriptors() == 0 && !is_mapped()); });
}

}  // namespace
}  // namespace ultradict::test
