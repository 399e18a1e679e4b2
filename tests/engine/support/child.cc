// SPDX-License-Identifier: Apache-2.0
#include "support/child.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "os/futex.h"

// gcc says it by macros, clang by features.
#if defined(__has_feature)
#define ULTRADICT_HAS_FEATURE(feature) __has_feature(feature)
#else
#define ULTRADICT_HAS_FEATURE(feature) 0
#endif

namespace ultradict::test {

Child::Child(const std::function<void()>& body) : pid_(::fork()) {
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::alarm(child_seconds_max);
  testing::GTEST_FLAG(break_on_failure) = true;
  body();
  ::_exit(0);
}

Child::~Child() {
  if (!reaped_) (void)kill_and_wait();
}

int Child::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool Child::is_running() const {
  siginfo_t ended{};
  return !reaped_ && ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         ended.si_pid == 0;
}

int Child::kill_and_wait() {
  signal(SIGKILL);
  return wait();
}

void Child::stop() const {
  signal(SIGSTOP);
  int status = 0;
  (void)::waitpid(pid_, &status, WUNTRACED);
}

int in_child(const std::function<void()>& body) { return Child(body).wait(); }

void require(bool holds, const char* file, int line) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: does not hold in child %d\n", file, line, static_cast<int>(::getpid()));
  ::_exit(1);
}

void require(const Status& status, const char* file, int line) {
  if (!status) std::fprintf(stderr, "code %d: %s\n", static_cast<int>(status.code()), status.message().c_str());
  require(static_cast<bool>(status), file, line);
}

void become_test(const std::string& name) {
  for (const char* name_of_shard : {"GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX"}) require(::unsetenv(name_of_shard) == 0);
  const std::string filter = "--gtest_filter=" + name;
  ::execl("/proc/self/exe", "engine_tests", filter.c_str(), "--gtest_also_run_disabled_tests", "--gtest_brief=1",
          nullptr);
  require(false);
  std::abort();
}

Gate::Gate() : ends_{-1, -1} {
  if (::pipe(ends_) != 0) ADD_FAILURE() << "no pipe";
}

Gate::~Gate() {
  ::close(ends_[0]);
  ::close(ends_[1]);
}

void Gate::open() {
  while (::write(ends_[1], "x", 1) < 0 && errno == EINTR) {
  }
}

void Gate::wait() {
  char byte = 0;
  while (::read(ends_[0], &byte, 1) < 0 && errno == EINTR) {
  }
}

void wait_until(const std::function<bool()>& holds) {
  while (!holds()) os::pause_ns(20'000);
}

void leave_an_idle_child(Gate& forked, Gate& end) {
  if (::fork() == 0) {
    forked.open();
    end.wait();
    ::_exit(0);
  }
  for (;;) ::pause();
}

void* map_shared(unsigned long size) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) ADD_FAILURE() << "no shared memory for notes";
  return address;
}

void unmap_shared(void* address, unsigned long size) { ::munmap(address, size); }

bool forks_are_slow() {
#if defined(__SANITIZE_THREAD__) || ULTRADICT_HAS_FEATURE(thread_sanitizer)
  return true;
#else
  return false;
#endif
}

bool is_sanitized() {
#if defined(__SANITIZE_ADDRESS__) || ULTRADICT_HAS_FEATURE(address_sanitizer)
  return true;
#else
  return forks_are_slow();
#endif
}

}  // namespace ultradict::test
