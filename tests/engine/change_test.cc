// SPDX-License-Identifier: Apache-2.0
// Redo believes nothing that it finds in the journal.
#include "store/change.h"

#include <gtest/gtest.h>

#include "support/content.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

// Writes a journal as a dead owner would have left it, and lets the next owner find it.
class ChangeTest : public testing::Test {
 protected:
  ChangeTest() : dict_(scratch_.open()), control_(dict_) {
    EXPECT_TRUE(dict_.put("a", "1"));
    EXPECT_TRUE(dict_.put("b", "2"));
  }

  void leave(const std::vector<JournalStore>& stores) {
    for (std::size_t i = 0; i < stores.size(); ++i) control_->journal.stores[i] = stores[i];
    Word sum = 0;
    for (const JournalStore& store : stores) {
      sum = ((sum ^ store.place) * 0x9e3779b97f4a7c15ULL ^ store.value) * 0xc2b2ae3d27d4eb4fULL;
    }
    shared::store(control_->journal.word, stores.size() | sum >> 32 << 32);
  }
  static JournalStore store(Place::Kind kind, Word offset, Word value) {
    return {Place::make(kind, offset).word, value};
  }
  static Word state_offset(std::size_t offset_in_state) { return offsetof(Control, state) + offset_in_state; }

  Scratch scratch_;
  Dict dict_;
  ControlView control_;
};

TEST_F(ChangeTest, CommittedStoresAreDoneByTheNextOwner) {
  const Word moved = control_->state.moved_records;
  leave({store(Place::Kind::control, state_offset(offsetof(State, moved_records)), moved + 5)});
  ASSERT_TRUE(dict_.put("c", "3"));
  EXPECT_EQ(control_->state.moved_records, moved + 5);
  EXPECT_EQ(control_->journal.word, 0U);
  expect_content(dict_, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
}

TEST_F(ChangeTest, StoreOutsideWhatMayBeStoredIsRefused) {
  const std::vector<JournalStore> wild{
      store(Place::Kind::control, 0, 1),                           // the identity
      store(Place::Kind::control, offsetof(Control, lock), 1),     //
      store(Place::Kind::control, offsetof(Control, journal), 1),  //
      store(Place::Kind::control, state_offset(4), 1),             // not a word
      store(Place::Kind::control, (Word{1} << 56) - 8, 1),         //
      store(Place::Kind::control, sizeof(Control), 1),             // the slots
      store(Place::Kind::slot, control_slots, 1),                  //
      store(Place::Kind::slot, Word{1} << 50, 1),                  //
      store(Place::Kind::next_slot, Word{1} << 50, 1),             //
      store(Place::Kind::entry, Word{1} << 50, 1),                 //
      store(Place::Kind::entry, (control_entries + 5) * 4, 1),     // an extent that is not there
      {Word{99} << 56, 1},                                         // no such kind
  };
  for (std::size_t i = 0; i < wild.size(); ++i) {
    leave({wild[i]});
    const Status status = dict_.put("c", "3");
    EXPECT_FALSE(status) << i;
    EXPECT_NE(status.code(), Code::not_found) << i;
    EXPECT_FALSE(dict_.has_lock());
    EXPECT_EQ(value_of(dict_, "a"), "1");
    shared::store(control_->journal.word, 0);
  }
  expect_content(dict_, {{"a", "1"}, {"b", "2"}});
}

TEST_F(ChangeTest, CountBeyondTheJournalIsRefused) {
  shared::store(control_->journal.word, stores_max + 1);
  EXPECT_EQ(dict_.put("c", "3").code(), Code::damaged);
  shared::store(control_->journal.word, 0xffff'ffff);
  EXPECT_EQ(dict_.put("c", "3").code(), Code::damaged);
}

}  // namespace
}  // namespace ultradict::test
