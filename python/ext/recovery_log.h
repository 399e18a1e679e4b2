// SPDX-License-Identifier: Apache-2.0
// One line in the program's log when this process found that the holder of a lock had died, and repaired what it left.
#pragma once

namespace ultradict::python {

struct Session;

// Once for each recovery, at WARNING, through the logger "UltraDict". Not while this thread holds the lock: a handler
// of the program may wait for another thread that needs it; then the next call that finds it free says it. Runs Python
// code, keeps the exception being raised; the session must be in Use or otherwise kept.
void tell_of_recovery(Session* session) noexcept;

}  // namespace ultradict::python
