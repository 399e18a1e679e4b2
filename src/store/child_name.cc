// SPDX-License-Identifier: Apache-2.0
#include "store/child_name.h"

#include <charconv>

#include "layout.h"

namespace ultradict {

namespace {

constexpr std::size_t id_size = 32;  // hex digits

// Takes "-<number>" from the front.
bool take_number(std::string_view* text, std::uint64_t* number) {
  if (text->empty() || text->front() != '-') return false;
  const char* end = text->data() + text->size();
  const auto [behind, error] = std::from_chars(text->data() + 1, end, *number);
  text->remove_prefix(static_cast<std::size_t>(behind - text->data()));
  return error == std::errc();
}

}  // namespace

std::string ChildName::text() const {
  const std::uint64_t serial = child.born & ~HeaderMark::mark;
  return root + "/" + root_id + "-" + std::to_string(child.number) + "-" + std::to_string(serial);
}

bool ChildName::parse(std::string_view name, ChildName* parsed) {
  const std::size_t slash = name.find('/');
  if (slash == name.npos || name.size() < slash + 1 + id_size) return false;
  parsed->root = name.substr(0, slash);
  parsed->root_id = name.substr(slash + 1, id_size);
  std::string_view rest = name.substr(slash + 1 + id_size);
  if (!take_number(&rest, &parsed->child.number) || !take_number(&rest, &parsed->child.born)) return false;
  parsed->child.born |= HeaderMark::mark;
  return rest.empty() && parsed->child.number != 0;
}

}  // namespace ultradict
