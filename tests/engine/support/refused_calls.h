// SPDX-License-Identifier: Apache-2.0
// System calls that the kernel refuses to this process from now on, as an older kernel, or a strict one, would.
#pragma once

namespace ultradict::test {

// Every fcntl() about locks of open file descriptions answers `error`. False where calls cannot be refused.
bool refuse_open_file_locks(int error);
// The same for membarrier().
bool refuse_membarrier(int error);

}  // namespace ultradict::test
