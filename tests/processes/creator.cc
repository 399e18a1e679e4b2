// SPDX-License-Identifier: Apache-2.0
// creator <name>: makes a dict of that name as a C++ program does that knows nothing of Python's parameters, says so by
// a line, and keeps it until its input ends.
#include <cstdio>

#include "ultradict/value.h"

int main(int count, char** arguments) {
  using namespace ultradict;
  if (count != 2) return 2;
  Options options;
  options.create = Create::always;
  Dict dict;
  Status status = Dict::open(arguments[1], options, &dict);
  if (status) status = put(dict, "colour", "blue");
  if (!status) {
    std::fprintf(stderr, "%s\n", status.message().c_str());
    return 1;
  }
  std::puts("made");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
