// SPDX-License-Identifier: Apache-2.0
// docs/memory-layout.md says what this build does: its generated parts are compared with what tools/print_layout
// prints. With ULTRADICT_UPDATE_DOCS=1 in the environment they are written anew instead.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "layout.h"
#include "layout_table.h"

namespace ultradict {
namespace {

const std::string root = ULTRADICT_SOURCE_DIR;
const std::string document = root + "/docs/memory-layout.md";

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What stands between `<!-- begin name -->` and `<!-- end name -->`; size 0 if there is no such part.
struct Part {
  std::size_t begin = 0;
  std::size_t size = 0;
};

Part find_part(const std::string& text, const std::string& name) {
  const std::string opening = "<!-- begin " + name + " -->\n\n";
  const std::size_t begin = text.find(opening);
  const std::size_t end = text.find("\n<!-- end " + name + " -->");
  if (begin == text.npos || end == text.npos || end < begin + opening.size()) return {};
  return {begin + opening.size(), end - begin - opening.size()};
}

void expect_part(const std::string& name, const std::string& generated) {
  std::string text = read(document);
  const Part part = find_part(text, name);
  ASSERT_NE(part.begin, 0U) << document << " has no part '" << name << "'";
  if (std::getenv("ULTRADICT_UPDATE_DOCS")) {
    std::ofstream(document, std::ios::binary) << text.replace(part.begin, part.size, generated);
    return;
  }
  EXPECT_EQ(text.substr(part.begin, part.size), generated)
      << document << " is out of date: run this test with ULTRADICT_UPDATE_DOCS=1";
}

TEST(LayoutTest, TheDocumentShowsTheTable) { expect_part("table", layout_table()); }

TEST(LayoutTest, TheDocumentShowsTheGoldenDict) {
  expect_part("example", layout_example(root + "/tests/golden/format-" + std::to_string(format_version)));
}

TEST(LayoutTest, EveryByteOfEveryStructIsExplained) {
  EXPECT_EQ(layout_table().find(unexplained), std::string::npos) << layout_table();
}

}  // namespace
}  // namespace ultradict
