// SPDX-License-Identifier: Apache-2.0
// print_layout: the byte layout of this build as markdown.
//
//   print_layout              the table of all shared bytes
//   print_layout <directory>  the first key of the one dict in it, word by word
#include <cstdio>

#include "layout_table.h"

int main(int count, char** arguments) {
  const std::string text = count > 1 ? ultradict::layout_example(arguments[1]) : ultradict::layout_table();
  return std::fputs(text.c_str(), stdout) < 0 ? 1 : 0;
}
