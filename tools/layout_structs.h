// SPDX-License-Identifier: Apache-2.0
// The structs of src/layout.h as data: what the compiler knows of them, and what their fields mean to people.
#pragma once

#include <cstddef>
#include <vector>

namespace ultradict {

struct FieldMeaning {
  const char* name;
  std::size_t offset;
  std::size_t size;
  const char* meaning;
};

struct StructMeaning {
  const char* name;
  std::size_t size;
  const char* meaning;
  std::vector<FieldMeaning> fields;
};

std::vector<StructMeaning> layout_structs();

}  // namespace ultradict
