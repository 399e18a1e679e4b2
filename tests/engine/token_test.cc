// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <vector>

#include "os/liveness_token.h"
#include "support/child.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

std::shared_ptr<os::LivenessToken> token_of(const std::string& directory) {
  std::shared_ptr<os::LivenessToken> token;
  const Fault fault = os::LivenessToken::of_directory(directory, &token);
  EXPECT_FALSE(fault) << fault.what;
  return token;
}

bool is_dead(const os::LivenessToken& token, Word word) {
  bool dead = false;
  EXPECT_FALSE(token.is_dead(LockWord{word}, &dead));
  return dead;
}

TEST(Token, IsOnePerProcessAndDirectory) {
  const Scratch scratch;
  const Scratch other;
  const auto token = token_of(scratch.path());
  EXPECT_EQ(token, token_of(scratch.path()));
  EXPECT_NE(token, token_of(other.path()));
  EXPECT_FALSE(is_dead(*token, token->word()));
  EXPECT_EQ(token->pid_of(LockWord{token->word()}), ::getpid());
}

TEST(Token, OfAChildIsAnotherAndDiesWithIt) {
  const Scratch scratch;
  const auto token = token_of(scratch.path());
  SharedNote<Word> childs;
  Gate claimed;
  Child child([&] {
    require(token->word() == 0);
    require(!token->claim_if_forked());
    require(token->word() != 0);
    *childs = token->word();
    claimed.open();
    for (;;) ::pause();
  });
  claimed.wait();
  EXPECT_NE(*childs, token->word());
  EXPECT_FALSE(is_dead(*token, *childs));
  EXPECT_EQ(token->pid_of(LockWord{*childs}), child.pid());
  child.kill_and_wait();
  EXPECT_TRUE(is_dead(*token, *childs));
  EXPECT_FALSE(is_dead(*token, token->word()));
}

TEST(Token, B4_NumberIsReusedByAnotherGeneration) {
  const Scratch scratch;
  const auto token = token_of(scratch.path());
  std::set<Word> words;
  std::set<Word> numbers;
  for (int i = 0; i < 10; ++i) {
    SharedNote<Word> childs;
    EXPECT_EQ(in_child([&] {
                require(!token->claim_if_forked());
                *childs = token->word();
              }),
              0);
    EXPECT_TRUE(is_dead(*token, *childs));
    words.insert(*childs);
    numbers.insert(LockWord{*childs}.number());
  }
  EXPECT_EQ(words.size(), 10U);
  EXPECT_EQ(numbers.size(), 1U);
}

// The dead one's number is taken again, by somebody who lives: the dead one stays dead.
TEST(Token, B4_OfADeadProcessStaysDeadWhenItsNumberIsTakenAgain) {
  const Scratch scratch;
  const auto token = token_of(scratch.path());
  SharedNote<Word> first;
  ASSERT_EQ(in_child([&] {
              require(!token->claim_if_forked());
              *first = token->word();
            }),
            0);
  SharedNote<Word> second;
  Gate claimed;
  Child child([&] {
    require(!token->claim_if_forked());
    *second = token->word();
    claimed.open();
    for (;;) ::pause();
  });
  claimed.wait();
  ASSERT_EQ(LockWord{*first}.number(), LockWord{*second}.number());
  EXPECT_TRUE(is_dead(*token, *first));
  EXPECT_FALSE(is_dead(*token, *second));
}

// A grandchild that lives on does not keep its dead parent alive, although it inherited its memory.
TEST(Token, B7_OfADeadParentIsNotKeptByItsChild) {
  const Scratch scratch;
  const auto token = token_of(scratch.path());
  SharedNote<Word> parents;
  Gate forked;
  Gate end;
  Child parent([&] {
    require(!token->claim_if_forked());
    *parents = token->word();
    leave_an_idle_child(forked, end);
  });
  forked.wait();
  parent.kill_and_wait();
  EXPECT_TRUE(is_dead(*token, *parents));
  end.open();
}

TEST(Token, B8_SurvivesTheCloseOfEveryDescriptor) {
  const Scratch scratch;
  const auto token = token_of(scratch.path());
  EXPECT_EQ(in_child([&] {
              require(!token->claim_if_forked());
              for (int descriptor = 3; descriptor < 256; ++descriptor) ::close(descriptor);
              require(in_child([&, word = token->word()] {
                        bool dead = true;
                        require(!token->claim_if_forked());
                        require(!token->is_dead(LockWord{word}, &dead) && !dead);
                      }) == 0);
            }),
            0);
}

TEST(Token, ManyProcessesHaveManyNumbers) {
  if (forks_are_slow()) GTEST_SKIP() << "slow";
  const Scratch scratch;
  const auto token = token_of(scratch.path());
  constexpr int count = 40;
  SharedNote<Word> words[count];
  Gate claimed;
  std::vector<std::unique_ptr<Child>> children;
  for (auto& word : words) {
    children.push_back(std::make_unique<Child>([&] {
      require(!token->claim_if_forked());
      *word = token->word();
      claimed.open();
      for (;;) ::pause();
    }));
  }
  for (int i = 0; i < count; ++i) claimed.wait();
  std::set<Word> numbers{LockWord{token->word()}.number()};
  for (const auto& word : words) numbers.insert(LockWord{*word}.number());
  EXPECT_EQ(numbers.size(), count + 1U);
}

}  // namespace
}  // namespace ultradict::test
