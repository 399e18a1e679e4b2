// SPDX-License-Identifier: Apache-2.0
// History: what each key was, and when it may have become that; so that every answer of a read can be judged. A run has
// one writer of a key at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ultradict::test {

using Answer = std::optional<std::string>;  // nothing: absent

class History {
 public:
  struct Interval {
    std::int64_t begin;
    std::int64_t end;
  };

  void begin_run(const std::map<std::string, std::string>& content);
  // A write of the key is under way from here to end_writes().
  void begin_write(const std::string& key, const Answer& value, std::int64_t moment, std::size_t writer);
  void end_writes(std::int64_t moment, std::size_t writer);
  std::vector<std::string> keys() const;

  // Whether a reader may have got that answer: the key was so at a moment of the interval (strictly; else at any), and
  // not before what the same reader saw of it last.
  bool allows(std::size_t reader, const std::string& key, const Answer& answer, Interval read, bool strictly);
  bool may_be_there(std::size_t reader, const std::string& key, Interval read, bool strictly) const;
  // Whether a walk in that interval must meet the key.
  bool was_there_throughout(std::size_t reader, const std::string& key, Interval walk, bool strictly) const;

 private:
  static constexpr std::int64_t never = INT64_MAX;
  struct Version {
    Answer value;
    std::int64_t begin;  // it may be seen from here
    std::int64_t end;    // it must be seen from here
    std::size_t writer;
  };
  bool may_be_seen(const std::vector<Version>& versions, std::size_t number, Interval read, bool strictly) const;

  std::map<std::string, std::vector<Version>> versions_;
  std::map<std::pair<std::size_t, std::string>, std::size_t> seen_;  // by a reader: the oldest version it can have been
};

}  // namespace ultradict::test
