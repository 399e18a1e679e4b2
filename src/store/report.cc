// SPDX-License-Identifier: Apache-2.0
#include "store/report.h"

#include <cerrno>
#include <string>
#include <system_error>

#include "os/directory.h"

namespace ultradict {

namespace {

std::string numbers(const Fault& fault) {
  if (fault.seen == 0 && fault.bound == 0) return "";
  const bool is_bound = fault.code == Code::invalid_argument;
  const char* side = !is_bound ? "expected" : fault.seen > fault.bound ? "at most" : "at least";
  return " (" + std::to_string(fault.seen) + ", " + side + " " + std::to_string(fault.bound) + ")";
}

std::string reason(const Fault& fault) {
  const std::string what = fault.what ? fault.what : "";
  const std::string error = fault.error ? ": " + std::generic_category().message(fault.error) : "";
  switch (fault.code) {
    case Code::damaged:
      return "its shared memory is damaged: " + what + numbers(fault) + "; unlink it and create it anew";
    case Code::other_format:
      return "it has byte format " + std::to_string(fault.seen) + ", this process reads format " +
             std::to_string(fault.bound) + ": close the processes of the other version, or unlink it";
    case Code::content_full:
      return "its content would be " + std::to_string(fault.seen) + " bytes, full_dump_size allows " +
             std::to_string(fault.bound) + ": delete keys, or create it with a larger full_dump_size";
    case Code::memory_full:
      if (fault.bound != 0) {
        return what + "=" + std::to_string(fault.bound) +
               (fault.seen != 0 ? " leaves no " + std::to_string(fault.seen) + " bytes more" : " is used up") +
               ": delete keys, or create it with a larger " + what;
      }
      if (fault.error == ENOMEM) {
        return "this process can have no more memory (" + what + error +
               "): let go of views and dicts, or raise RLIMIT_AS or vm.max_map_count";
      }
      return "no shared memory is left (" + what + error + "): delete keys, or give the file system more room";
    case Code::forbidden:
      if (fault.error == 0) return "not permitted: " + what + numbers(fault);
      if (fault.error == EROFS) return "not permitted: " + what + error + ": choose another place by ULTRADICT_DIR";
      return "not permitted: " + what + error + ", as user " + std::to_string(fault.seen) +
             ": a dict is its creator's, and a process that changes its user opens it afterwards";
    case Code::no_such_dict:
      return fault.what ? what : "there is no dict of that name";
    case Code::already_exists:
      return "a dict of that name exists already: attach to it, or unlink it first";
    case Code::lock_timeout:
      return fault.what ? what : "its lock was not free in time";
    case Code::not_owner:
      return "its lock is not held by this thread";
    case Code::closed:
      return "the handle is closed";
    case Code::dict_gone:
      return "this nested dict was deleted: no key refers to it any more; read it anew from its parent";
    case Code::is_dict:
      return "the value of the key is a nested dict: open it with open_child";
    case Code::internal:
      return "an assumption of UltraDict's own code does not hold: " + what +
             "; this process can no longer use the dict, others can: open it anew, and please report this";
    case Code::would_cycle:
      return "a nested dict cannot become a value of its own content: assign a copy of it";
    case Code::os_error:
      if (fault.error == EMFILE) return what + error + ": close some, or raise RLIMIT_NOFILE";
      return what + error + numbers(fault);
    default:
      return what + error + numbers(fault);
  }
}

}  // namespace

Status report_slowly(const Fault& fault, std::string_view name) {
  return Status(fault.code, "dict '" + std::string(name) + "': " + reason(fault));
}

Status report_with_place(const Fault& fault, std::string_view name, std::string_view directory) {
  Status status = report(fault, name);
  if (fault.code != Code::forbidden && fault.code != Code::os_error) return status;
  return {fault.code, status.message() + " (the directory of dicts is " + os::directory_path(directory) + ")"};
}

}  // namespace ultradict
