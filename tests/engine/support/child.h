// SPDX-License-Identifier: Apache-2.0
// Child: a forked process for one part of a test, and the means to keep step with it. Processes wait for each other
// through pipes and waitpid; only what no event tells is looked at again and again. A child never outlives its test,
// nor child_seconds_max.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>
#include <new>
#include <string>

#include "ultradict/status.h"

namespace ultradict::test {

inline constexpr unsigned child_seconds_max = 100;

class Child {
 public:
  // Runs `body` in a forked process, which ends with _exit(0) when it returns, and by SIGTRAP where an EXPECT_ fails.
  explicit Child(const std::function<void()>& body);
  ~Child();  // kills and reaps it
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  // Its exit status, or minus the signal that ended it.
  int wait();
  int kill_and_wait();
  bool is_running() const;  // not when it has ended, reaped or not
  // Waits until SIGSTOP has reached it.
  void stop() const;

 private:
  pid_t pid_;
  bool reaped_ = false;
};

// Runs `body` in a child of its own and waits: 0 if all was well.
int in_child(const std::function<void()>& body);

// In a child: ends it with a line on stderr that says where, if the condition does not hold.
void require(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE());
void require(const Status& status, const char* file = __builtin_FILE(), int line = __builtin_LINE());

// In a child: becomes, by exec, a new process of this program, which runs one disabled test, as "Suite.DISABLED_Name",
// whatever shard of the tests this one runs.
[[noreturn]] void become_test(const std::string& name);

// One process waits until another opens it, once for each opening. Made before the fork.
class Gate {
 public:
  Gate();
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  void open();
  void wait();

 private:
  int ends_[2];
};

// For what another process does and no event tells.
void wait_until(const std::function<bool()>& holds);

// In a child: forks one of its own, which opens `forked` and idles until `end`, and waits to be killed.
[[noreturn]] void leave_an_idle_child(Gate& forked, Gate& end);

void* map_shared(unsigned long size);
void unmap_shared(void* address, unsigned long size);

// Memory that a child shares with its parent: notes that survive the child.
template <typename T>
class SharedNote {
 public:
  SharedNote() : note_(new (map_shared(sizeof(T))) T()) {}
  ~SharedNote() { unmap_shared(note_, sizeof(T)); }
  SharedNote(const SharedNote&) = delete;
  SharedNote& operator=(const SharedNote&) = delete;
  T* operator->() const { return note_; }
  T& operator*() const { return *note_; }

 private:
  T* note_;
};

// ThreadSanitizer does not follow memory that processes share, and each fork under it takes many milliseconds: tests
// that fork thousands of times say nothing more there and are left out.
bool forks_are_slow();
// Address- and ThreadSanitizer reserve address space and map behind the program's back.
bool is_sanitized();

}  // namespace ultradict::test
