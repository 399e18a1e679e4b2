// SPDX-License-Identifier: Apache-2.0
// What every contestant of get_put.cc has in common: a store from int64 to int64 that begins empty and ends the program
// when an operation fails. Its parts: name, version, put, get, count, and finish_writing, which makes what was put
// readable.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>

namespace bench {

[[noreturn]] inline void fail(const std::string& what) {
  std::cerr << what << '\n';
  std::exit(1);
}

}  // namespace bench
