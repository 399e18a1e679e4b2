// SPDX-License-Identifier: Apache-2.0
#include "family.h"

#include <algorithm>
#include <memory>
#include <new>

#include "common.h"
#include "session.h"

namespace ultradict::python {

namespace {

bool is_gone(const Session* session, ChildId dict) noexcept try {
  Dict opened;
  return session->engine.open_child(dict, &opened).code() == Code::dict_gone;
} catch (const std::bad_alloc&) {
  return false;
}

// Whether the handle can be given out: one whose last reference went may still run destructors.
bool is_usable(const Session* session) noexcept {
  return session != nullptr && !session->closed && session->handle != nullptr && Py_REFCNT(session->handle) > 0;
}

}  // namespace

Family* Family::make(const ModuleState* module) {
  std::unique_ptr<Family> family(new (std::nothrow) Family);
  if (!family) return PyErr_NoMemory(), nullptr;
  if (!make_common(module, {family.get(), traverse, nullptr, break_cycles}, &family->common)) return nullptr;
  return family.release();
}

Family::~Family() { end_common(common); }

void Family::enroll(Session* child) {
  open_[child->engine.child_id().born] = child;
  if (head == nullptr) head = child;
}

void Family::strike_off(const Session* child) noexcept {
  const auto found = open_.find(child->engine.child_id().born);
  if (found != open_.end() && found->second == child) open_.erase(found);
}

PyObject* Family::handle_of(ChildId dict) const noexcept {
  const auto found = open_.find(dict.born);
  if (found == open_.end() || !is_usable(found->second)) return nullptr;
  return Ref::share(found->second->handle).release();
}

void Family::hand_on(const Session* from) noexcept {
  if (head != from) return;
  for (const auto& [born, session] : open_) {
    if (session != from && is_usable(session)) return void(head = session);
  }
  doom_all();
}

void Family::doom_all() noexcept {
  for (auto& [born, kept] : estates_) doom(std::move(kept.estate));
  estates_.clear();
  held_for_.clear();
}

void Family::doom(Estate estate) noexcept {
  budget.doom(estate.exotic.release());
  budget.doom(estate.held.release());
}

void Family::leave(const Session* session, ChildId dict, Estate estate) noexcept {
  if (!estate.exotic && !estate.held) return;
  try {
    if (estates_.size() >= sweep_count_) sweep(session);
    if (head == nullptr || is_gone(session, dict)) return doom(std::move(estate));
    Kept& kept = estates_[dict.born];
    kept.dict = dict;
    if (estate.held && !kept.estate.held) held_for_.push_back(dict.born);
    if (estate.exotic) std::swap(kept.estate.exotic, estate.exotic);
    if (estate.held) std::swap(kept.estate.held, estate.held);
  } catch (const std::bad_alloc&) {
  }
  doom(std::move(estate));
}

Family::Estate Family::take(ChildId dict) noexcept {
  const auto found = estates_.find(dict.born);
  if (found == estates_.end()) return {};
  Estate estate = std::move(found->second.estate);
  estates_.erase(found);
  if (estate.held) held_for_.erase(std::find(held_for_.begin(), held_for_.end(), dict.born));
  return estate;
}

void Family::look_at_held(const Session* session) noexcept {
  const std::uint64_t ended = session->engine.children_ended();
  if (std::exchange(ended_, ended) == ended) return;
  for (std::size_t at = 0; at < held_for_.size();) {
    const ChildId dict = estates_.at(held_for_[at]).dict;
    if (is_gone(session, dict)) {
      doom(take(dict));
    } else {
      ++at;
    }
  }
}

// Of nested dicts that are gone nobody will ask again.
void Family::sweep(const Session* session) noexcept {
  for (auto at = estates_.begin(); at != estates_.end();) {
    const ChildId dict = at++->second.dict;
    if (is_gone(session, dict)) doom(take(dict));
  }
  sweep_count_ = std::max(sweep_count_min, 2 * estates_.size());
}

int Family::traverse(void* owned, visitproc visit, void* arg) {
  const auto* family = static_cast<const Family*>(owned);
  for (const auto& [born, kept] : family->estates_) {
    Py_VISIT(kept.estate.exotic.get());
    Py_VISIT(kept.estate.held.get());
  }
  return family->budget.traverse(visit, arg);
}

// Its sessions are garbage, too. What they leave when they end goes at once: there is no head.
void Family::break_cycles(void* owned) {
  auto* family = static_cast<Family*>(owned);
  ++family->sessions;  // with what goes the last of them may end
  family->head = nullptr;
  family->doom_all();
  family->settle();
  if (--family->sessions == 0) delete family;
}

}  // namespace ultradict::python
