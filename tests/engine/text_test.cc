// SPDX-License-Identifier: Apache-2.0
#include "os/text.h"

#include <gtest/gtest.h>

namespace ultradict::test {
namespace {

TEST(Text, WhatDoesNotFitIsNoName) {
  for (std::size_t size = 0; size < 12; ++size) {
    const std::string text(size, 'x');
    EXPECT_EQ(std::string(os::Text<6>("%s", text.c_str())), size < 6 ? text : "") << size;
  }
  EXPECT_TRUE(os::Path(std::string(PATH_MAX, 'd'), "file").empty());
}

}  // namespace
}  // namespace ultradict::test
