// SPDX-License-Identifier: Apache-2.0
#include "support/failing_call.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <iterator>
#include <vector>

#include "support/child.h"

namespace ultradict::test {

const NamedCall failing_calls[failing_calls_max] = {
    {SYS_openat, "openat"},       {SYS_mmap, "mmap"},       {SYS_fallocate, "fallocate"},
    {SYS_ftruncate, "ftruncate"}, {SYS_pwrite64, "pwrite"}, {SYS_pread64, "pread"},
    {SYS_unlink, "unlink"},       {SYS_rename, "rename"},   {SYS_symlink, "symlink"},
    {SYS_mkdir, "mkdir"},         {SYS_link, "link"},       {SYS_fcntl, "fcntl"},
    {SYS_futex, "futex"},         {SYS_madvise, "madvise"}, {SYS_readlink, "readlink"},
    {SYS_newfstatat, "fstat"},    {SYS_rmdir, "rmdir"},     {SYS_getdents64, "getdents64"},
    {SYS_getrandom, "getrandom"}, {SYS_fchmod, "fchmod"},   {SYS_chmod, "chmod"},
};

#if defined(__x86_64__)

namespace {

struct Wish {
  std::atomic<long> call{-1};
  std::atomic<int> error{0};           // 0: the process is stopped first, and then the call is made
  std::atomic<std::uint64_t> left{0};  // calls until the one that fails
  std::atomic<std::uint64_t> more{0};  // that fail after it
  std::atomic<std::uint64_t> failed{0};
};
Wish wish;

// The one place whose calls the kernel lets pass.
extern "C" long ultradict_test_pass(long number, long a, long b, long c, long d, long e, long f);
extern "C" const char ultradict_test_passed[];
asm(R"(
.text
.globl ultradict_test_pass
.hidden ultradict_test_pass
ultradict_test_pass:
  movq %rdi, %rax
  movq %rsi, %rdi
  movq %rdx, %rsi
  movq %rcx, %rdx
  movq %r8, %r10
  movq %r9, %r8
  movq 8(%rsp), %r9
  syscall
.globl ultradict_test_passed
.hidden ultradict_test_passed
ultradict_test_passed:
  ret
)");

// The library of threads ends the process when a futex of its own fails in a way that it does not know; ours are those
// that processes share.
bool is_of_a_thread(long call, long operation) { return call == SYS_futex && operation > 1; }

bool is_to_fail(long call) {
  if (wish.call.load() != call || wish.left.load() == 0) return false;
  const std::uint64_t before = wish.left.fetch_sub(1);
  if (before > 1) return false;
  wish.left.store(wish.more.load() > 0 ? 1 : 0);
  if (wish.more.load() > 0) wish.more.fetch_sub(1);
  wish.failed.fetch_add(1);
  return true;
}

void answer(int, siginfo_t*, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const long call = registers[REG_RAX];
  const bool is_meant = !is_of_a_thread(call, registers[REG_RSI]) && is_to_fail(call);
  if (is_meant && wish.error.load() == 0) (void)::raise(SIGSTOP);
  registers[REG_RAX] = is_meant && wish.error.load() != 0
                           ? -wish.error.load()
                           : ultradict_test_pass(call, registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                                                 registers[REG_R10], registers[REG_R8], registers[REG_R9]);
}

sock_filter load(std::size_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<__u32>(offset)); }
sock_filter unless(std::uint64_t value, std::size_t skipped) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(value), 0, static_cast<__u8>(skipped));
}
sock_filter verdict(unsigned value) { return BPF_STMT(BPF_RET | BPF_K, value); }

}  // namespace

bool can_fail_calls() { return true; }

void prepare_failing_calls() {
  struct sigaction action {};
  action.sa_sigaction = answer;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  require(::sigaction(SIGSYS, &action, nullptr) == 0);
  const auto place = reinterpret_cast<std::uint64_t>(ultradict_test_passed);
  const std::size_t pointer = offsetof(seccomp_data, instruction_pointer);
  std::vector<sock_filter> filter{
      load(pointer),          unless(place & 0xffffffffU, 3), load(pointer + 4),
      unless(place >> 32, 1), verdict(SECCOMP_RET_ALLOW),     load(offsetof(seccomp_data, nr))};
  for (const NamedCall& call : failing_calls) {
    filter.push_back(unless(static_cast<std::uint64_t>(call.number), 1));
    filter.push_back(verdict(SECCOMP_RET_TRAP));
  }
  filter.push_back(verdict(SECCOMP_RET_ALLOW));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  require(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  require(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

FailingCall::FailingCall(long call, int error, std::uint64_t number, std::uint64_t count) {
  wish.failed.store(0);
  wish.error.store(error);
  wish.more.store(count - 1);
  wish.left.store(number);
  wish.call.store(call);
}

FailingCall::~FailingCall() { wish.call.store(-1); }

std::uint64_t FailingCall::failed() { return wish.failed.load(); }

StoppingCall::StoppingCall(long call, std::uint64_t number) {
  wish.error.store(0);
  wish.more.store(0);
  wish.left.store(number);
  wish.call.store(call);
}

StoppingCall::~StoppingCall() { wish.call.store(-1); }

#else

bool can_fail_calls() { return false; }
void prepare_failing_calls() {}
FailingCall::FailingCall(long, int, std::uint64_t, std::uint64_t) {}
FailingCall::~FailingCall() {}
std::uint64_t FailingCall::failed() { return 0; }
StoppingCall::StoppingCall(long, std::uint64_t) {}
StoppingCall::~StoppingCall() {}

#endif

}  // namespace ultradict::test
