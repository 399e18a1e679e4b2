# SPDX-License-Identifier: Apache-2.0
# The C++ programs that people read and run: examples/<name>/*.cc and bench/cpp/*.cc. Rivals take part in two of the
# benchmarks where they are installed: LMDB (liblmdb-dev), Boost.Interprocess (libboost-dev) and oneTBB (libtbb-dev).

ultradict_programs(examples/*/*.cc bench/cpp/*.cc)

# ultradict_rival(<name> <header> [<library>]): those two are told by ULTRADICT_HAVE_<name> that it is there.
function(ultradict_rival name header)
  find_path(ULTRADICT_${name}_INCLUDE ${header})
  set(needed ${ULTRADICT_${name}_INCLUDE})
  if(ARGN)
    find_library(ULTRADICT_${name}_LIBRARY ${ARGN})
    list(APPEND needed ${ULTRADICT_${name}_LIBRARY})
  endif()
  if("${needed}" MATCHES "NOTFOUND")
    return()
  endif()
  foreach(target IN ITEMS bench_cpp_get_put bench_cpp_reading_threads)
    target_compile_definitions(${target} PRIVATE ULTRADICT_HAVE_${name})
    target_include_directories(${target} SYSTEM PRIVATE ${ULTRADICT_${name}_INCLUDE})
    if(ARGN)
      target_link_libraries(${target} PRIVATE ${ULTRADICT_${name}_LIBRARY})
    endif()
  endforeach()
endfunction()

ultradict_rival(LMDB lmdb.h lmdb)
ultradict_rival(BOOST boost/interprocess/managed_shared_memory.hpp)
ultradict_rival(TBB tbb/concurrent_hash_map.h tbb)
