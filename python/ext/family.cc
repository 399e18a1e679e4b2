// SPDX-License-Identifier: Apache-2.0
#include "family.h"

#include <algorithm>
#include <vector>

#include "session.h"

namespace ultradict::python {

void Family::leave(const Session* session, ChildId dict, Estate estate) noexcept {
  if (head == nullptr || (!estate.exotic && !estate.held)) return;
  try {
    if (estates_.size() >= sweep_count_) sweep(session);
    Kept& kept = estates_[dict.born];
    kept.dict = dict;
    if (estate.exotic) kept.estate.exotic = std::move(estate.exotic);
    if (estate.held) kept.estate.held = std::move(estate.held);
  } catch (const std::bad_alloc&) {
  }
}

Family::Estate Family::take(ChildId dict) {
  const auto found = estates_.find(dict.born);
  if (found == estates_.end()) return {};
  Estate estate = std::move(found->second.estate);
  estates_.erase(found);
  return estate;
}

// Of nested dicts that are gone nobody will ask again.
void Family::sweep(const Session* session) {
  std::vector<Estate> gone;  // dropped when the map is in order again
  for (auto at = estates_.begin(); at != estates_.end();) {
    Dict dict;
    const bool lives = session->engine.open_child(at->second.dict, &dict).code() != Code::dict_gone;
    if (!lives) gone.push_back(std::move(at->second.estate));
    at = lives ? std::next(at) : estates_.erase(at);
  }
  sweep_count_ = std::max(sweep_count_min, 2 * estates_.size());
}

void Family::clear() {
  const auto old = std::move(estates_);
  estates_.clear();
}

int Family::traverse(visitproc visit, void* arg) const {
  for (const auto& [born, kept] : estates_) {
    Py_VISIT(kept.estate.exotic.get());
    Py_VISIT(kept.estate.held.get());
  }
  return budget.traverse(visit, arg);
}

}  // namespace ultradict::python
