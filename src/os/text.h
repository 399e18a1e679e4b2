// SPDX-License-Identifier: Apache-2.0
// Names and paths of files that are put together without allocating, because most of that happens under the lock of a
// dict, or where one ends: an exception would leave a change half applied.
#pragma once

#include <linux/limits.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace ultradict::os {

// Text on the stack. What does not fit becomes "", which is no file's name.
template <std::size_t capacity>
class Text {
 public:
  Text() { text_[0] = '\0'; }
  template <typename... Arguments>
  explicit Text(const char* format, Arguments... arguments) {
    const int size = std::snprintf(text_, capacity, format, arguments...);
    if (size < 0 || static_cast<std::size_t>(size) >= capacity) text_[0] = '\0';
  }
  operator const char*() const { return text_; }
  bool empty() const { return text_[0] == '\0'; }

 private:
  char text_[capacity];
};

inline constexpr std::size_t file_name_size = 80;
using FileName = Text<file_name_size>;

class Path : public Text<PATH_MAX> {
 public:
  Path(const std::string& directory, std::string_view name)
      : Text("%s/%.*s", directory.c_str(), static_cast<int>(name.size()), name.data()) {}
  Path(const std::string& directory, const char* folder, std::string_view name, const char* file = nullptr)
      : Text("%s/%s/%.*s%s%s", directory.c_str(), folder, static_cast<int>(name.size()), name.data(), file ? "/" : "",
             file ? file : "") {}
};

}  // namespace ultradict::os
