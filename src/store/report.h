// SPDX-License-Identifier: Apache-2.0
// From Fault to Status: the sentence that a person reads. It names the dict, both sides of the disagreement, and the
// way out.
#pragma once

#include <string_view>

#include "base/fault.h"
#include "ultradict/status.h"

namespace ultradict {

Status report_slowly(const Fault& fault, std::string_view name);
// Of opening and unlinking: names the directory where files are what went wrong. `directory` as in Options.
Status report_with_place(const Fault& fault, std::string_view name, std::string_view directory);

inline Status report(const Fault& fault, std::string_view name) {
  if (fault.code == Code::ok) [[likely]]
    return {};
  if (fault.code == Code::not_found || fault.code == Code::changed || fault.code == Code::lock_busy) {
    return Status(fault.code);
  }
  return report_slowly(fault, name);
}

}  // namespace ultradict
