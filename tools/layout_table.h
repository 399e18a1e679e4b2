// SPDX-License-Identifier: Apache-2.0
// What docs/memory-layout.md shows of src/layout.h: the table of all shared bytes, and a look into a real dict.
// Offsets, sizes, bits and values come from the compiler; only the meanings are written here.
#pragma once

#include <string>

namespace ultradict {

// Markdown: constants, words with parts, structs. Bytes that no field explains are called `unexplained`.
std::string layout_table();
inline constexpr const char* unexplained = "unexplained";

// Markdown: how the first key of a dict lies in its control file, word by word. `directory` holds that one dict.
std::string layout_example(const std::string& directory);

}  // namespace ultradict
