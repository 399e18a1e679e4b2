// SPDX-License-Identifier: Apache-2.0
// Survivors: a scenario whose writer is really killed after one of its stores, while another process has the dict open
// and has mapped what it had met before. That one reads without the lock what the dead one left, must not be made to
// wait, and repairs it: whatever a reader has seen of a change stays.
#pragma once

#include "crashes/scenario.h"

namespace ultradict::test {

void kill_among_survivors(const Scenario& scenario);

}  // namespace ultradict::test
