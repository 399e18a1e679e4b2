// SPDX-License-Identifier: Apache-2.0
#include "os/file_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/child.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

using os::File;
using os::HeldByte;
using os::LockKind;

class FileLock : public testing::Test {
 protected:
  FileLock() : path_(scratch_.path() + "/file") { write_file(path_, std::string(4096, 'x')); }

  File open() const {
    File file;
    EXPECT_FALSE(os::open_file(path_.c_str(), &file));
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
  const File first = open();
  const File second = open();
  EXPECT_FALSE(os::try_lock_byte(first, 1, LockKind::exclusive));
  EXPECT_EQ(os::try_lock_byte(second, 1, LockKind::exclusive).code, Code::lock_busy);
  EXPECT_EQ(os::try_lock_byte(second, 1, LockKind::shared).code, Code::lock_busy);
  EXPECT_FALSE(os::try_lock_byte(second, 2, LockKind::exclusive));
}

TEST_F(FileLock, IsSharedByManyAndThenExclusiveToNone) {
  const File first = open();
  File second = open();
  EXPECT_FALSE(os::try_lock_byte(first, 0, LockKind::shared));
  EXPECT_FALSE(os::try_lock_byte(second, 0, LockKind::shared));
  EXPECT_EQ(os::try_lock_byte(first, 0, LockKind::exclusive).code, Code::lock_busy);
  second.close();
  EXPECT_FALSE(os::try_lock_byte(first, 0, LockKind::exclusive));
}

TEST_F(FileLock, B9_SurvivesOthersThatOpenAndCloseTheFile) {
  const File first = open();
  ASSERT_FALSE(os::try_lock_byte(first, 0, LockKind::exclusive));
  open().close();
  EXPECT_FALSE(is_free(0));
}

TEST_F(FileLock, HeldByteIsHeldByItsMappingAlone) {
  File file = open();
  ASSERT_FALSE(os::try_lock_byte(file, 3, LockKind::exclusive));
  HeldByte held;
  ASSERT_FALSE(held.keep(std::move(file), false));
  EXPECT_TRUE(held.held());
  EXPECT_FALSE(is_free(3));
  held.release();
  EXPECT_TRUE(is_free(3));
  EXPECT_FALSE(held.held());
}

TEST_F(FileLock, B7_HeldByteOfADeadProcessIsFreeAlthoughItsChildLives) {
  Gate forked;
  Gate end;
  Child parent([&] {
    File file = open();
    require(!os::try_lock_byte(file, 3, LockKind::exclusive));
    HeldByte held;
    require(!held.keep(std::move(file), false));
    if (::fork() == 0) {
      held.forget();
      forked.open();
      end.wait();
      ::_exit(0);
    }
    for (;;) ::pause();
  });
  forked.wait();
  EXPECT_FALSE(is_free(3));
  parent.kill_and_wait();
  EXPECT_TRUE(is_free(3));
  end.open();
}

TEST_F(FileLock, HeldByteThatIsInheritedStaysWithTheChild) {
  Gate forked;
  Gate end;
  Child parent([&] {
    File file = open();
    require(!os::try_lock_byte(file, 3, LockKind::exclusive));
    HeldByte held;
    require(!held.keep(std::move(file), true));
    if (::fork() == 0) {
      forked.open();
      end.wait();
      ::_exit(0);
    }
    for (;;) ::pause();
  });
  forked.wait();
  parent.kill_and_wait();
  EXPECT_FALSE(is_free(3));
  end.open();
}

TEST_F(FileLock, WaitingEndsWithTheHolder) {
  Gate locked;
  Child holder([&] {
    const File file = open();
    require(!os::try_lock_byte(file, 0, LockKind::exclusive));
    locked.open();
    for (;;) ::pause();
  });
  locked.wait();
  Child waiting([&] { require(!os::lock_byte(open(), 0, LockKind::exclusive)); });
  holder.kill_and_wait();
  EXPECT_EQ(waiting.wait(), 0);
}

}  // namespace
}  // namespace ultradict::test
