// SPDX-License-Identifier: Apache-2.0
// Scratch: a directory of dicts for one test, in shared memory where there is some, removed with all that is in it.
#pragma once

#include <string>

#include "ultradict/dict.h"

namespace ultradict::test {

class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  // Of a dict that outlives its creator, so that a test says when it ends.
  Options options(Create create = Create::if_missing) const;
  // The same, but gone with its creator.
  Options mortal(Create create = Create::if_missing) const;
  // Opens or fails the test.
  Dict open(const std::string& name = "dict", Create create = Create::if_missing) const;
  Dict open(const std::string& name, const Options& options) const;

 private:
  std::string path_;
};

// Whether a dict of that name can be attached.
bool exists(const Scratch& scratch, const std::string& name = "dict");
// How many dicts have files there, with a name or without.
std::size_t dicts_in(const Scratch& scratch);

// Whole files, for tests that damage them.
std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);

}  // namespace ultradict::test
