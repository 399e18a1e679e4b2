# SPDX-License-Identifier: Apache-2.0
# ultradict_programs(<glob> ...): every source file found is a program of its own over the public headers. It lies in
# the build directory where its source lies in the repository: bench/cpp/get_put.cc becomes
# build/release/bench/cpp/get_put.

function(ultradict_programs)
  file(GLOB sources CONFIGURE_DEPENDS ${ARGN})
  foreach(source IN LISTS sources)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE place)
    cmake_path(GET place PARENT_PATH folder)
    cmake_path(GET place STEM stem)
    string(REPLACE "/" "_" target "${folder}/${stem}")
    add_executable(${target} ${source})
    set_target_properties(${target} PROPERTIES
      OUTPUT_NAME ${stem} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${folder})
    target_link_libraries(${target} PRIVATE ultradict_engine ultradict_settings)
  endforeach()
endfunction()
