# SPDX-License-Identifier: Apache-2.0
# What must be there before anything is compiled. A missing piece stops the build with one line that says what to do.

# The text is short: CMake breaks longer ones.
function(ultradict_require condition line)
  if(NOT ${condition})
    message(FATAL_ERROR "ultradict: ${line}")
  endif()
endfunction()

string(COMPARE EQUAL "${CMAKE_SYSTEM_NAME}" "Linux" on_linux)
ultradict_require(on_linux "runs on Linux only, this is ${CMAKE_SYSTEM_NAME}")

find_path(ULTRADICT_XXHASH_INCLUDE xxhash.h)
ultradict_require(ULTRADICT_XXHASH_INCLUDE "xxhash.h is missing: apt-get install libxxhash-dev")

# src/base/hash.h includes all of it, so nothing is linked and nothing of it is exported.
add_library(ultradict_xxhash INTERFACE)
target_include_directories(ultradict_xxhash SYSTEM INTERFACE ${ULTRADICT_XXHASH_INCLUDE})
