// SPDX-License-Identifier: Apache-2.0
#include "crashes/crash_point.h"

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/store_recorder.h"
#include "support/child.h"

namespace ultradict {

namespace {

std::uint64_t count = 0;
std::uint64_t fatal = 0;
test::Observer* observer = nullptr;

}  // namespace

void shared::record_store(const void* address, std::size_t size) {
  if (++count == fatal) ::kill(::getpid(), SIGKILL);
  if (observer) observer->after_store(address, size);
}

namespace test {

void die_at_store(std::uint64_t store) {
  count = 0;
  fatal = store;
}

std::uint64_t stores_counted() { return count; }

void observe(Observer* now) { observer = now; }
bool is_observed() { return observer != nullptr; }
void tell_of_file_call(int written) {
  if (observer) observer->after_file_call(written);
}
void tell_of_open_to_come() {
  if (observer) observer->before_open();
}

void tell_of_open() {
  if (observer) observer->after_open();
}

namespace {

// Lets the child run to its next stop; false if it ended.
bool next_stop(pid_t pid, int* status, int deliver) {
  if (::ptrace(PTRACE_SYSCALL, pid, nullptr, deliver) != 0) return false;
  return ::waitpid(pid, status, 0) == pid && WIFSTOPPED(*status);
}

constexpr int call_stop = SIGTRAP | 0x80;  // what PTRACE_O_TRACESYSGOOD makes of a stop at a system call

}  // namespace

bool killed_at_system_call(int stop, const std::function<void()>& body) {
  Child child([&] {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    (void)::raise(SIGSTOP);
    body();
  });
  int status = 0;
  (void)::waitpid(child.pid(), &status, 0);
  ::ptrace(PTRACE_SETOPTIONS, child.pid(), nullptr, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
  for (int deliver = 0; stop > 0;) {
    if (!next_stop(child.pid(), &status, deliver)) {
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
      return false;
    }
    deliver = WSTOPSIG(status) == call_stop ? 0 : WSTOPSIG(status);
    stop -= WSTOPSIG(status) == call_stop ? 1 : 0;
  }
  return child.kill_and_wait() == -SIGKILL;
}

bool can_trace() {
  return killed_at_system_call(1, [] { (void)::getppid(); });
}

}  // namespace test

}  // namespace ultradict
