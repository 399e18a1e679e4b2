// SPDX-License-Identifier: Apache-2.0
// LockHeld: proof that the calling thread owns the dict's lock, as a parameter, so that the compiler asks for it.
#pragma once

namespace ultradict {

class LockHeld {
 private:
  friend class DictLock;
  LockHeld() = default;
};

}  // namespace ultradict
