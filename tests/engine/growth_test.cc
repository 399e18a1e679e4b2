// SPDX-License-Identifier: Apache-2.0
// Files that grow while other processes map them.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/child.h"
#include "support/content.h"
#include "support/failing_call.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

constexpr Word step_size = 64 * 1024;  // by which memory is taken from the budget

// The segment that records are appended to.
class Tail {
 public:
  explicit Tail(const Dict& dict) : control_(dict) {}
  Word size() const { return segment().size; }
  bool is_in_a_file() const { return segment().file >= first_file; }
  bool is_full() const { return (ref().position() - segment().first) * unit_size == size(); }

 private:
  Ref ref() const { return Ref{control_->state.tail}; }
  const SegmentDescriptor& segment() const { return control_->segments[ref().segment()]; }

  const ControlView control_;
};

class Growth : public testing::Test {
 protected:
  Growth() : options_(scratch_.options()) {
    options_.buffer_size = 4096;
    options_.max_bytes = 16 << 20;
  }
  Dict open() const { return scratch_.open("dict", options_); }
  static std::string key(int number) { return std::to_string(10'000'000 + number); }
  Status put_next(Dict& dict) { return dict.put(key(++last_), std::string(16, 'v')); }

  const Scratch scratch_;
  Options options_;
  int last_ = 0;  // key
};

// By several steps, of which the second fails: the file was longer for a moment. Who maps it just then must not look
// there later, when the file is short again and full to its end.
TEST_F(Growth, D2_ThatFailsHalfWayLeavesNoLongerFile) {
  if (forks_are_slow() || is_sanitized() || !can_fail_calls()) GTEST_SKIP() << "calls cannot be made to fail here";
  {
    Dict dict = open();
    for (const Tail tail(dict); !tail.is_in_a_file() || tail.size() != 2 * step_size || !tail.is_full();) {
      ASSERT_TRUE(put_next(dict));
    }
  }
  Child writer([&] {
    prepare_failing_calls();
    Dict own = open();
    const Tail tail(own);
    const rlim_t more_than_a_step = tail.size() + step_size + page_size;
    const struct rlimit limit { more_than_a_step, more_than_a_step };
    require(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    {
      const StoppingCall stopping(SYS_ftruncate, 2);  // of the budget, for the second step
      require(put_next(own));
    }
    while (!tail.is_full()) require(put_next(own));
  });
  int status = 0;
  ASSERT_EQ(::waitpid(writer.pid(), &status, WUNTRACED), writer.pid());
  ASSERT_TRUE(WIFSTOPPED(status)) << status;
  Gate mapped, grown;
  Child reader([&] {
    Dict own = open();
    require(own.contains(key(last_)));
    mapped.open();
    grown.wait();
    while (own.contains(key(last_ + 1))) ++last_;
    require(own.erase(key(last_)));
  });
  mapped.wait();
  writer.signal(SIGCONT);
  EXPECT_EQ(writer.wait(), 0);
  grown.open();
  EXPECT_EQ(reader.wait(), 0);
}

}  // namespace
}  // namespace ultradict::test
