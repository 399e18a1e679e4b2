# SPDX-License-Identifier: Apache-2.0
# The C++ programs that people read and run: examples/<name>/*.cc and bench/cpp/*.cc. LMDB is a rival in the benchmarks
# and takes part where it is installed (liblmdb-dev).

ultradict_programs(examples/*/*.cc)

ultradict_programs(bench/cpp/*.cc)
find_path(ULTRADICT_LMDB_INCLUDE lmdb.h)
find_library(ULTRADICT_LMDB_LIBRARY lmdb)
if(ULTRADICT_LMDB_INCLUDE AND ULTRADICT_LMDB_LIBRARY)
  foreach(target IN LISTS ULTRADICT_PROGRAMS)
    target_compile_definitions(${target} PRIVATE ULTRADICT_HAVE_LMDB)
    target_include_directories(${target} SYSTEM PRIVATE ${ULTRADICT_LMDB_INCLUDE})
    target_link_libraries(${target} PRIVATE ${ULTRADICT_LMDB_LIBRARY})
  endforeach()
endif()
