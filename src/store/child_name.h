// SPDX-License-Identifier: Apache-2.0
// The name of a nested dict, by which any process opens it: that of its root, which of all dicts that were ever called
// so it is, and which nested dict of that one: "shop/0f3a...-5-17". No root has a '/' in its name.
#pragma once

#include <string>
#include <string_view>

#include "ultradict/dict.h"

namespace ultradict {

struct ChildName {
  std::string root;
  std::string root_id;
  ChildId child;

  std::string text() const;
  // False: it is not the name of a nested dict.
  static bool parse(std::string_view name, ChildName* parsed);
};

}  // namespace ultradict
