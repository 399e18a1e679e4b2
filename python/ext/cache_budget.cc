// SPDX-License-Identifier: Apache-2.0
#include "cache_budget.h"

#include <cstdlib>

#include "cache.h"

namespace ultradict::python {

CacheBudget::~CacheBudget() {
  drop_doomed();
  std::free(doomed_);
}

void CacheBudget::join(Cache* cache) noexcept {
  if (hand_ == nullptr) {
    hand_ = cache->ring_next_ = cache->ring_previous_ = cache;
    return;
  }
  cache->ring_next_ = hand_;
  cache->ring_previous_ = hand_->ring_previous_;
  cache->ring_previous_->ring_next_ = cache;
  hand_->ring_previous_ = cache;
}

void CacheBudget::leave(Cache* cache) noexcept {
  if (hand_ == cache) hand_ = cache->ring_next_ != cache ? cache->ring_next_ : nullptr;
  cache->ring_previous_->ring_next_ = cache->ring_next_;
  cache->ring_next_->ring_previous_ = cache->ring_previous_;
}

// Two turns of each cache find enough: the first takes the marks of use away.
void CacheBudget::make_room(const Cache& cache, std::uint32_t kept) noexcept {
  const Cache* const first = hand_;
  for (int rounds = 0; size_ > size_max_ && rounds < 2;) {
    hand_->evict(&cache == hand_ ? kept : Cache::none);
    if (size_ <= size_max_) return;
    hand_ = hand_->ring_next_;
    if (hand_ == first) ++rounds;
  }
}

// Without memory for the list the reference is leaked: running a destructor here could use a half-changed cache.
void CacheBudget::doom(PyObject* object) noexcept {
  if (object == nullptr) return;
  if (doomed_count_ == doomed_capacity_) {
    const std::size_t wanted = doomed_capacity_ * 2 + 16;
    auto* moved = static_cast<PyObject**>(std::realloc(doomed_, wanted * sizeof(PyObject*)));
    if (moved == nullptr) return;
    doomed_ = moved;
    doomed_capacity_ = wanted;
  }
  doomed_[doomed_count_++] = object;
}

void CacheBudget::drop_doomed() noexcept {
  while (doomed_count_ != 0) let_go(doomed_[--doomed_count_]);
}

int CacheBudget::traverse(visitproc visit, void* arg) const {
  for (std::size_t number = 0; number < doomed_count_; ++number) Py_VISIT(doomed_[number]);
  return 0;
}

}  // namespace ultradict::python
