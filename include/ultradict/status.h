// SPDX-License-Identifier: Apache-2.0
// Status: how an operation ended. `if (!status) report(status.message())`.
//
// No function of this library ends the process because of what it found in shared memory: whatever another process may
// have done to the bytes comes back as a Status. Nothing is thrown but std::bad_alloc, by those that are not noexcept,
// where the process itself has no memory left for what they answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace ultradict {

enum class Code : std::uint8_t {
  ok,
  not_found,         // no such key
  changed,           // the entry a Sighting names belongs to another key by now, or to none
  invalid_argument,  // a name, size or option that cannot be
  no_such_dict,      // open or unlink by a name that no dict has
  already_exists,    // Create::always and the name is taken
  closed,            // the handle was closed, or never opened
  dict_gone,         // no key refers to this nested dict any more
  is_dict,           // the value is a nested dict, not bytes
  would_cycle,       // a nested dict would lie in itself
  lock_busy,         // the lock has an owner and the call was not to wait
  lock_timeout,      // the lock still had an owner when the time was over
  not_owner,         // unlock without lock
  content_full,      // full_dump_size would be exceeded; nothing changed
  memory_full,       // shared memory is full (or max_bytes reached); nothing changed
  damaged,           // shared bytes contradict themselves; the message says which
  other_format,      // made by a version with another byte layout; the message names both
  forbidden,         // file permissions or a foreign owner
  unsupported,       // the kernel lacks something indispensable; the message says what
  os_error,          // a system call failed; the message names it
  internal,          // an assumption of this library's own code does not hold; the dict must be opened anew
};

class [[nodiscard]] Status {
 public:
  Status() noexcept = default;
  Status(Code code, std::string message) : code_(code), message_(std::make_unique<std::string>(std::move(message))) {}
  // For the outcomes of everyday life (not_found, changed, lock_busy): no text, no allocation.
  explicit Status(Code code) noexcept : code_(code) {}

  Code code() const noexcept { return code_; }
  explicit operator bool() const noexcept { return code_ == Code::ok; }
  // Both sides of the disagreement and the way out, in one line. Empty for codes that say it all.
  std::string message() const { return message_ ? *message_ : std::string(); }

 private:
  Code code_ = Code::ok;
  std::unique_ptr<std::string> message_;
};

}  // namespace ultradict
