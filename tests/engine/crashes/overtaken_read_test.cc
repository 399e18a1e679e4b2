// SPDX-License-Identifier: Apache-2.0
// A large value is overwritten each time between the look at its record and the opening of its file.
#include <gtest/gtest.h>

#include "crashes/crash_point.h"
#include "support/scratch.h"
#include "ultradict/dict.h"
#include "ultradict/large_value.h"

namespace ultradict::test {
namespace {

constexpr std::size_t large = 100'000;

// As a process would that has nothing else to do: whenever it can have the lock.
class Overwriter : public Observer {
 public:
  Overwriter(Dict* dict, const Dict& reader) : dict_(dict), reader_(reader) {}
  void after_store(const void*, std::size_t) override {}
  void after_file_call(int) override {}
  void before_open() override {
    if (writes_ || reader_.has_lock()) return;
    writes_ = true;
    EXPECT_TRUE(dict_->put("key", std::string(large, static_cast<char>('a' + ++overwritten % 26))));
    writes_ = false;
  }
  void after_open() override {}

  int overwritten = 0;

 private:
  Dict* dict_;
  const Dict& reader_;
  bool writes_ = false;
};

class OvertakenRead : public testing::Test {
 protected:
  OvertakenRead() { EXPECT_TRUE(writer_.put("key", std::string(large, 'a'))); }
  ~OvertakenRead() override { observe(nullptr); }
  std::string newest() const { return std::string(large, static_cast<char>('a' + overwriter_.overwritten % 26)); }

  Scratch scratch_;
  Dict writer_ = scratch_.open();
  Dict reader_ = scratch_.open();
  Overwriter overwriter_{&writer_, reader_};
};

TEST_F(OvertakenRead, GetsTheValueInTheEnd) {
  observe(&overwriter_);
  std::string value;
  const Status status = reader_.get("key", &value);
  EXPECT_TRUE(status) << status.message();
  EXPECT_GT(overwriter_.overwritten, 50);
  EXPECT_TRUE(value == newest());
}

TEST_F(OvertakenRead, MapsTheValueInTheEnd) {
  observe(&overwriter_);
  MappedValue mapped;
  const Status status = reader_.map("key", &mapped);
  EXPECT_TRUE(status) << status.message();
  EXPECT_GT(overwriter_.overwritten, 50);
  EXPECT_TRUE(mapped.bytes() == newest());
}

}  // namespace
}  // namespace ultradict::test
