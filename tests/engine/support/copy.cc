// SPDX-License-Identifier: Apache-2.0
#include "support/copy.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace ultradict::test {

std::size_t Copy::update() {
  std::size_t looked_at = 0;
  const Status status = try_update(&looked_at);
  if (!status) throw std::runtime_error(status.message());
  return looked_at;
}

Status Copy::try_update(std::size_t* looked_at) {
  std::vector<Sighting> changed;
  Status status = dict_.changes(&progress_, &changed);
  if (status.code() == Code::changed) {
    status = read_all();
    *looked_at = items_.size();
    return status;
  }
  if (!status) return status;
  std::sort(changed.begin(), changed.end(), [](const auto& left, const auto& right) { return left.born < right.born; });
  for (const Sighting& seen : changed) read(seen);
  *looked_at = changed.size();
  return {};
}

Content Copy::content() const {
  Content all;
  for (const auto& [born, item] : items_) all.emplace_back(item.key, item.value);
  return all;
}

Status Copy::read_all() {
  ++readings_;
  items_.clear();
  born_.clear();
  Cursor cursor(dict_);
  Sighting seen;
  Status status;
  while ((status = cursor.next(&seen))) read(seen);
  return status.code() == Code::not_found ? Status() : std::move(status);
}

void Copy::read(Sighting seen) {
  Buffer buffer;
  Record record;
  bool moved = false;
  const bool left_out = seen.born == 0 || seen.born >= progress_.born_end;
  if (left_out || !dict_.reread(&seen, &buffer, &record, &moved)) return forget(seen.entry);
  if (const auto known = born_.find(seen.entry); known != born_.end() && known->second != seen.born) {
    items_.erase(known->second);
  }
  born_[seen.entry] = seen.born;
  Item& item = items_[seen.born];
  item.key = record.canonical;
  item.value.assign(record.value);
  if (record.child.number != 0) item.value = nested_value;
  if (!record.is_blob) return;
  item.value.resize(record.value_size);
  if (!dict_.read_blob(seen, record.value_size, item.value.data())) item.value = "overwritten meanwhile";
}

void Copy::forget(std::uint32_t entry) {
  const auto known = born_.find(entry);
  if (known == born_.end()) return;
  items_.erase(known->second);
  born_.erase(known);
}

}  // namespace ultradict::test
