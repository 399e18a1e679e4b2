// SPDX-License-Identifier: Apache-2.0
// Some processes that begin at the same moment, work for a while and leave what they found in memory they share.
#pragma once

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <new>
#include <vector>

#include "../stores/store.h"

namespace bench {

inline std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

// Zeroed memory that forked processes share.
template <class Type>
class Shared {
 public:
  explicit Shared(std::size_t count = 1) : size_(count * sizeof(Type)) {
    void* place = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) fail("no shared memory");
    first_ = new (place) Type[count]();
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { munmap(first_, size_); }
  Type& operator[](std::size_t index) { return first_[index]; }
  Type* operator->() { return first_; }

 private:
  std::size_t size_;
  Type* first_ = nullptr;
};

// Runs `work(number)` in so many processes. None begins before all are there.
template <class Work>
void in_processes(int count, const Work& work) {
  Shared<std::atomic<int>> there;
  std::vector<pid_t> pids;
  for (int number = 0; number < count; ++number) {
    const pid_t pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
      ++there[0];
      while (there[0].load() < count) sched_yield();
      work(number);
      _exit(0);
    }
    pids.push_back(pid);
  }
  for (const pid_t pid : pids) {
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || status != 0) fail("a process of the benchmark failed");
  }
}

// Of all processes that ended so far and were waited for.
inline double cpu_seconds_of_children() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) { return double(time.tv_sec) + double(time.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace bench
