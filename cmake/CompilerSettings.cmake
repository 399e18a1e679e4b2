# SPDX-License-Identifier: Apache-2.0
# How every C++ file of this repository is compiled: the language, what is exported, the warnings of our own builds and
# the sanitizers. Targets take it by linking `ultradict_settings`.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# A crash in a test should name its line, and a kill storm should not take minutes: a little optimization, and lines.
# All else that a debugger could show takes the compiler a quarter longer.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

# The hot path of the extension crosses into the engine: only the linker sees both.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT ULTRADICT_SANITIZE)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT ultradict_has_ipo OUTPUT ultradict_ipo_output LANGUAGES CXX)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${ultradict_has_ipo})
endif()

find_package(Threads REQUIRED)

add_library(ultradict_settings INTERFACE)
target_compile_options(ultradict_settings INTERFACE -fno-plt)
target_link_libraries(ultradict_settings INTERFACE Threads::Threads)

if(ULTRADICT_DEVELOPER)
  target_compile_options(ultradict_settings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wextra-semi -Werror)
endif()

# The compiler's command line names the rules of clang-tidy: when they change, every file is looked at again.
if(CMAKE_CXX_CLANG_TIDY)
  set(ultradict_tidy_rules "")
  foreach(rules IN ITEMS .clang-tidy tests/.clang-tidy)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${rules})
    file(SHA256 ${PROJECT_SOURCE_DIR}/${rules} sum)
    string(APPEND ultradict_tidy_rules _${sum})
  endforeach()
  list(APPEND CMAKE_CXX_CLANG_TIDY --extra-arg=-DULTRADICT_TIDY_RULES${ultradict_tidy_rules})
endif()

if(ULTRADICT_SANITIZE)
  # The first report ends the run: a test must not pass over it.
  target_compile_options(ultradict_settings INTERFACE
    -fsanitize=${ULTRADICT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(ultradict_settings INTERFACE -fsanitize=${ULTRADICT_SANITIZE})
endif()
if(ULTRADICT_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc warns of every fence that ThreadSanitizer does not model; the fences are there for the other builds.
  target_compile_options(ultradict_settings INTERFACE -Wno-tsan)
endif()

# ultradict_compile_together(<target>): for the engine once more, in another manner. The compiler and clang-tidy have
# looked at each of its files by itself; most of the time of one goes into its headers.
function(ultradict_compile_together target)
  set_target_properties(${target} PROPERTIES CXX_CLANG_TIDY "" UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
endfunction()
