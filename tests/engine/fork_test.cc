// SPDX-License-Identifier: Apache-2.0
// A fork with an open dict: the child is a participant of its own, and its end harms nobody.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "store/life.h"
#include "store/store.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scratch.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ULTRADICT_TEST_FORK_HANDLERS

// Of glibc, as its own pthread_atfork calls it.
extern "C" int register_atfork(void (*)(), void (*)(), void (*)(), void*) __asm__("__register_atfork");
extern "C" void* dso_handle __asm__("__dso_handle");

// In place of the one of libc, for all of this program: there is no memory for them where the environment says so.
extern "C" int pthread_atfork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
  if (std::getenv("ULTRADICT_TEST_NO_FORK_HANDLERS")) return ENOMEM;
  return register_atfork(before, in_parent, in_child, dso_handle);
}

#endif

namespace ultradict::test {
namespace {

#ifdef ULTRADICT_TEST_FORK_HANDLERS

TEST(Fork, DISABLED_NoDictIsOpenedHere) {
  Dict dict;
  const Status status = Dict::open("dict", Options(), &dict);  // in ULTRADICT_DIR
  EXPECT_EQ(status.code(), Code::memory_full);
  EXPECT_NE(status.message().find("handlers of fork"), std::string::npos) << status.message();
  std::ofstream(std::string(std::getenv("ULTRADICT_DIR")) + "/was here");
}

TEST(Fork, C2_WithoutMemoryForItsHandlersNoDictIsOpened) {
  const Scratch scratch;
  // exec: handlers are set when a program begins.
  Child child([&] {
    require(::setenv("ULTRADICT_TEST_NO_FORK_HANDLERS", "1", 1) == 0);
    require(::setenv("ULTRADICT_DIR", scratch.path().c_str(), 1) == 0);
    become_test("Fork.DISABLED_NoDictIsOpenedHere");
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(dicts_in(scratch), 0U);
  EXPECT_TRUE(std::filesystem::exists(scratch.path() + "/was here"));
}

#endif

TEST(Fork, C1_C3_ChildOfForkReadsAndWritesAndItsEndHarmsNobody) {
  const Scratch scratch;
  Dict dict = scratch.open("dict", scratch.mortal());
  ASSERT_TRUE(dict.put("k", "parent"));
  EXPECT_EQ(in_child([&] {
              require(!dict.is_creator());
              require(value_of(dict, "k") == "parent");
              for (int i = 0; i < 1000; ++i) require(dict.put("c" + std::to_string(i), std::string(300, 'c')));
              require(dict.put("blob", std::string(50'000, 'c')));
              require(dict.close());
            }),
            0);
  EXPECT_TRUE(exists(scratch));
  EXPECT_TRUE(dict.is_creator());
  EXPECT_EQ(dict.count(), 1002U);
  ASSERT_TRUE(dict.put("k", "parent again"));
  expect_sound(dict);
  EXPECT_EQ(in_child([&] { Dict moved(std::move(dict)); }), 0);
  EXPECT_TRUE(exists(scratch));
  ASSERT_TRUE(dict.close());
  EXPECT_FALSE(exists(scratch));
  EXPECT_EQ(dicts_in(scratch), 0U);
}

TEST(Fork, ChildThatOutlivesTheCreatorKeepsTheContent) {
  const Scratch scratch;
  Gate parent_gone;
  Gate looked;
  auto dict = std::make_unique<Dict>(scratch.open("dict", scratch.mortal()));
  ASSERT_TRUE(dict->put("k", "v"));
  Child child([&] {
    parent_gone.wait();
    require(value_of(*dict, "k") == "v");
    require(dict->put("l", "w"));
    require(dict->check().sound());
    looked.open();
    require(dict->close());
  });
  ASSERT_TRUE(dict->close());
  EXPECT_FALSE(exists(scratch));
  parent_gone.open();
  looked.wait();
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(dicts_in(scratch), 0U);
}

TEST(Fork, GrandchildrenAreParticipantsOfTheirOwn) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.lock());
  const std::uint32_t number = dict.owner().number;
  ASSERT_TRUE(dict.unlock());
  EXPECT_EQ(in_child([&] {
              require(dict.lock());
              const std::uint32_t own = dict.owner().number;
              require(own != number);
              require(in_child([&] {
                        require(!dict.has_lock());
                        require(dict.lock(Wait{0}).code() == Code::lock_busy);
                      }) == 0);
              require(dict.unlock());
              require(in_child([&] {
                        require(dict.lock());
                        require(dict.owner().number != own && dict.owner().number != number);
                      }) == 0);
              require(dict.put("k", "v"));
            }),
            0);
  expect_content(dict, {{"k", "v"}});
}

// The thread that has the lock has its id in the child, too.
TEST(Fork, C2_TheThreadThatForkedIsNotTakenForTheNextOwnerOfItsChild) {
  const Scratch scratch;
  Dict dict = scratch.open();
  ASSERT_TRUE(dict.lock());
  EXPECT_EQ(in_child([&] {
              require(dict.lock(Wait{0}).code() == Code::lock_busy);
              // Another thread of the child has just taken it, and got no further.
              const auto store = find_open(dict.id());
              shared::store(store->control().lock, LockWord{store->token->word()}.owner());
              require(!dict.has_lock());
              require(dict.lock(Wait{0}).code() == Code::lock_busy);
              require(dict.unlock().code() == Code::not_owner);
            }),
            0);
}

TEST(Fork, C2_ChildLeavesWhatItsParentIsBuilding) {
  const Scratch scratch;
  Dict dict = scratch.open();
  Dict made;
  std::unique_ptr<Child> child;
  {
    auto builder = std::make_unique<ChildBuilder>(dict);
    ASSERT_TRUE(builder->make(&made));
    ASSERT_TRUE(made.put("x", "1"));
    Gate child_left;
    child = std::make_unique<Child>([&] {
      Dict other;
      require(builder->make(&other).code() == Code::not_owner);
      builder.reset();
      child_left.open();
      require(dict.put("by the child", "v"));  // waits for the parent
      require(dict.check().sound());
    });
    child_left.wait();
    ASSERT_TRUE(dict.put_child(Key{"built"}, made));
  }
  EXPECT_EQ(child->wait(), 0);
  expect_content(dict, {{"built", nested_value}, {"built/x", "1"}, {"by the child", "v"}});
}

bool is_locked(const std::string& path, Word byte, os::LockKind kind) {
  os::File file;
  bool locked = false;
  EXPECT_FALSE(os::open_file(path.c_str(), &file)) << path;
  EXPECT_FALSE(os::is_locked(file, byte, kind, &locked)) << path;
  return locked;
}

// Nobody is at work in the directory and no creator lives; who is attached does not matter.
void expect_no_lock_is_held(const Scratch& scratch) {
  EXPECT_FALSE(is_locked(scratch.path() + "/lock", 0, os::LockKind::exclusive)) << "the directory";
  for (const auto& dict : std::filesystem::directory_iterator(scratch.path() + "/d")) {
    const std::string control = dict.path().string() + "/control";
    if (!std::filesystem::exists(control)) continue;
    EXPECT_FALSE(is_locked(control, attached_byte, os::LockKind::shared)) << control << " is looked at for ever";
    EXPECT_FALSE(is_locked(control, creator_byte, os::LockKind::exclusive)) << control << " has a creator for ever";
  }
}

void make_and_end(const Scratch& scratch, const std::string& name, bool unlinks) {
  Dict dict = scratch.open(name, scratch.mortal());
  EXPECT_TRUE(!unlinks || dict.unlink());
  EXPECT_TRUE(dict.close());
}

// Descriptors that carry locks are open for moments; some of many forks meet one.
TEST(Fork, B7_IdleChildrenOfWhoMakesAndEndsDictsHoldNobodyUp) {
  if (forks_are_slow()) GTEST_SKIP() << "forks of a process with threads";
  const Scratch scratch;
  std::atomic<bool> stop = false;
  const auto make_dicts = [&](const std::string& prefix) {
    for (int i = 0; !stop; ++i) make_and_end(scratch, prefix + std::to_string(i), i % 2 == 0);
  };
  std::thread first(make_dicts, "first");
  std::thread second(make_dicts, "second");
  std::vector<std::unique_ptr<Child>> idle;
  Gate idles;
  const int children = is_sanitized() ? 120 : 600;
  for (int i = 0; i < children; ++i) {
    idle.push_back(std::make_unique<Child>([&] {
      idles.open();
      for (;;) ::pause();
    }));
  }
  for (std::size_t i = 0; i < idle.size(); ++i) idles.wait();  // until it idles it has what its parent had open
  stop = true;
  first.join();
  second.join();
  expect_no_lock_is_held(scratch);
  EXPECT_EQ(in_child([&] {
              Dict dict;
              require(Dict::open("dict", scratch.options(), &dict));
              require(dict.unlink());
              require(!exists(scratch));
            }),
            0);
}

}  // namespace
}  // namespace ultradict::test
