// SPDX-License-Identifier: Apache-2.0
// A child that holds the lock of a dict.
#pragma once

#include <functional>
#include <memory>

#include "support/child.h"
#include "ultradict/dict.h"

namespace ultradict::test {

[[noreturn]] void wait_to_be_killed();

// It takes the lock, and has it when this returns; then it does what it is told.
std::unique_ptr<Child> holder_of(Dict& dict, const std::function<void()>& then = wait_to_be_killed);

}  // namespace ultradict::test
