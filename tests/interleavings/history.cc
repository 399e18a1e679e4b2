// SPDX-License-Identifier: Apache-2.0
#include "interleavings/history.h"

namespace ultradict::test {

void History::begin_run(const std::map<std::string, std::string>& content) {
  versions_.clear();
  seen_.clear();
  for (const auto& [key, value] : content) versions_[key] = {{value, 0, 0, 0}};
}

void History::begin_write(const std::string& key, const Answer& value, std::int64_t moment, std::size_t writer) {
  std::vector<Version>& versions = versions_[key];
  if (versions.empty()) versions.push_back({std::nullopt, 0, 0, 0});
  if (versions.back().value != value) versions.push_back({value, moment, never, writer});
}

void History::end_writes(std::int64_t moment, std::size_t writer) {
  for (auto& [key, versions] : versions_) {
    if (versions.back().end != never || versions.back().writer != writer) continue;
    versions.back().end = moment;
    seen_[{writer, key}] = versions.size() - 1;
  }
}

std::vector<std::string> History::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, versions] : versions_) keys.push_back(key);
  return keys;
}

bool History::may_be_seen(const std::vector<Version>& versions, std::size_t number, Interval read,
                          bool strictly) const {
  if (versions[number].begin > read.end) return false;
  return !strictly || number + 1 == versions.size() || versions[number + 1].end >= read.begin;
}

bool History::allows(std::size_t reader, const std::string& key, const Answer& answer, Interval read, bool strictly) {
  const auto found = versions_.find(key);
  if (found == versions_.end()) return !answer;
  std::size_t& seen = seen_[{reader, key}];
  for (std::size_t i = seen; i < found->second.size(); ++i) {
    if (found->second[i].value != answer || !may_be_seen(found->second, i, read, strictly)) continue;
    seen = i;
    return true;
  }
  return false;
}

bool History::may_be_there(std::size_t reader, const std::string& key, Interval read, bool strictly) const {
  const auto found = versions_.find(key);
  if (found == versions_.end()) return false;
  const auto seen = seen_.find({reader, key});
  for (std::size_t i = seen == seen_.end() ? 0 : seen->second; i < found->second.size(); ++i) {
    if (found->second[i].value && may_be_seen(found->second, i, read, strictly)) return true;
  }
  return false;
}

bool History::was_there_throughout(std::size_t reader, const std::string& key, Interval walk, bool strictly) const {
  const auto& versions = versions_.at(key);
  const auto seen = seen_.find({reader, key});
  for (std::size_t i = seen == seen_.end() ? 0 : seen->second; i < versions.size(); ++i) {
    if (!versions[i].value && may_be_seen(versions, i, walk, strictly)) return false;
  }
  return true;
}

}  // namespace ultradict::test
