# SPDX-License-Identifier: Apache-2.0
# The programs around src/layout.h: the one that prints the byte layout and the one that makes the golden dict. What the
# former prints is also linked into the engine tests, which compare it with docs/memory-layout.md.

add_library(ultradict_layout_table STATIC tools/layout_table.cc tools/layout_structs.cc tools/layout_example.cc)
target_include_directories(ultradict_layout_table PUBLIC tools PRIVATE src)
target_link_libraries(ultradict_layout_table PUBLIC ultradict_engine PRIVATE ultradict_settings ultradict_xxhash)

add_executable(print_layout tools/print_layout.cc)
set_target_properties(print_layout PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
target_link_libraries(print_layout PRIVATE ultradict_layout_table ultradict_settings)

add_executable(generate_golden tests/golden/generate.cc)
set_target_properties(generate_golden PROPERTIES
  OUTPUT_NAME generate RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/golden)
target_link_libraries(generate_golden PRIVATE ultradict_engine ultradict_settings)
