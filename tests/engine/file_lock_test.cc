// SPDX-License-Identifier: Apache-2.0
#include "os/file_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/child.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

using os::HeldByte;
using os::LockKind;
using os::UnforkedFile;

class FileLock : public testing::Test {
 protected:
  FileLock() : path_(scratch_.path() + "/file") { write_file(path_, std::string(4096, 'x')); }

  UnforkedFile open() const {
    UnforkedFile file;
    EXPECT_FALSE(file.open(path_.c_str()));
    return file;
  }
  bool is_free(os::Size byte) const {
    bool locked = true;
    EXPECT_FALSE(os::is_locked(open(), byte, LockKind::exclusive, &locked));
    return !locked;
  }

  Scratch scratch_;
  std::string path_;
};

TEST_F(FileLock, ExcludesOtherOpenFilesOfTheSameProcess) {
  UnforkedFile first = open();
  UnforkedFile second = open();
  EXPECT_FALSE(os::try_lock_byte(first, 1, LockKind::exclusive));
  EXPECT_EQ(os::try_lock_byte(second, 1, LockKind::exclusive).code, Code::lock_busy);
  EXPECT_EQ(os::try_lock_byte(second, 1, LockKind::shared).code, Code::lock_busy);
  EXPECT_FALSE(os::try_lock_byte(second, 2, LockKind::exclusive));
}

TEST_F(FileLock, IsSharedByManyAndThenExclusiveToNone) {
  UnforkedFile first = open();
  UnforkedFile second = open();
  EXPECT_FALSE(os::try_lock_byte(first, 0, LockKind::shared));
  EXPECT_FALSE(os::try_lock_byte(second, 0, LockKind::shared));
  EXPECT_EQ(os::try_lock_byte(first, 0, LockKind::exclusive).code, Code::lock_busy);
  second.close();
  EXPECT_FALSE(os::try_lock_byte(first, 0, LockKind::exclusive));
}

TEST_F(FileLock, B9_SurvivesOthersThatOpenAndCloseTheFile) {
  UnforkedFile first = open();
  ASSERT_FALSE(os::try_lock_byte(first, 0, LockKind::exclusive));
  open().close();
  EXPECT_FALSE(is_free(0));
}

TEST_F(FileLock, HeldByteIsHeldByItsMappingAlone) {
  UnforkedFile file = open();
  ASSERT_FALSE(os::try_lock_byte(file, 3, LockKind::exclusive));
  HeldByte held;
  ASSERT_FALSE(held.keep(std::move(file), false));
  EXPECT_TRUE(held.held());
  EXPECT_FALSE(is_free(3));
  held.release();
  EXPECT_TRUE(is_free(3));
  EXPECT_FALSE(held.held());
}

TEST_F(FileLock, B7_ByteThatADeadProcessHadLockedIsFreeAlthoughItsChildLives) {
  Gate forked;
  Gate end;
  Child parent([&] {
    UnforkedFile file = open();
    require(!os::try_lock_byte(file, 3, LockKind::exclusive));
    leave_an_idle_child(forked, end);
  });
  forked.wait();
  EXPECT_FALSE(is_free(3)) << "the child has given back what is its parent's";
  parent.kill_and_wait();
  EXPECT_TRUE(is_free(3));
  end.open();
}

TEST_F(FileLock, B7_LockThatIsGivenBackIsFreeAlthoughACopyOfTheDescriptorIsLeft) {
  UnforkedFile file = open();
  ASSERT_FALSE(os::try_lock_byte(file, 3, LockKind::exclusive));
  const os::File copy(::dup(static_cast<const os::File&>(file).descriptor()));
  EXPECT_FALSE(is_free(3));
  file.close();
  EXPECT_TRUE(is_free(3));
}

class FileLockOnSomeKernel : public FileLock, public testing::WithParamInterface<bool> {
 protected:
  FileLockOnSomeKernel() { HeldByte::descriptor_needed = GetParam(); }
  ~FileLockOnSomeKernel() override { HeldByte::descriptor_needed = false; }
};

INSTANTIATE_TEST_SUITE_P(DescriptorNeeded, FileLockOnSomeKernel, testing::Bool());

TEST_P(FileLockOnSomeKernel, B7_HeldByteOfADeadProcessIsFreeAlthoughItsChildLives) {
  Gate forked;
  Gate end;
  Child parent([&] {
    UnforkedFile file = open();
    require(!os::try_lock_byte(file, 3, LockKind::exclusive));
    HeldByte held;
    require(!held.keep(std::move(file), false));
    leave_an_idle_child(forked, end);
  });
  forked.wait();
  EXPECT_FALSE(is_free(3));
  parent.kill_and_wait();
  EXPECT_TRUE(is_free(3));
  end.open();
}

TEST_P(FileLockOnSomeKernel, HeldByteThatIsInheritedStaysWithTheChild) {
  Gate forked;
  Gate end;
  Child parent([&] {
    UnforkedFile file = open();
    require(!os::try_lock_byte(file, 3, LockKind::exclusive));
    HeldByte held;
    require(!held.keep(std::move(file), true));
    leave_an_idle_child(forked, end);
  });
  forked.wait();
  parent.kill_and_wait();
  EXPECT_FALSE(is_free(3));
  end.open();
}

TEST_F(FileLock, WaitingEndsWithTheHolder) {
  Gate locked;
  Child holder([&] {
    UnforkedFile file = open();
    require(!os::try_lock_byte(file, 0, LockKind::exclusive));
    locked.open();
    for (;;) ::pause();
  });
  locked.wait();
  Child waiting([&] {
    UnforkedFile file = open();
    require(!os::lock_byte(file, 0, LockKind::exclusive));
  });
  holder.kill_and_wait();
  EXPECT_EQ(waiting.wait(), 0);
}

}  // namespace
}  // namespace ultradict::test
