// SPDX-License-Identifier: Apache-2.0
// Lease: a buffer for records for the length of one operation. Almost always the one spare buffer is free and nothing
// is allocated; an operation that starts inside another one (a user's __eq__, a destructor, a second thread) gets its
// own.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "ref.h"
#include "ultradict/bytes.h"

namespace ultradict::python {

template <class Kind>
using Spare = std::unique_ptr<Kind>[4];

inline std::size_t kept_size(const Buffer& buffer) noexcept { return buffer.capacity(); }

// Needs the interpreter lock when made and when destroyed; in between it belongs to its maker alone.
template <class Kind>
class Lease {
 public:
  explicit Lease(Spare<Kind>& spares) noexcept : spares_(spares) {
    for (auto& spare : spares_) {
      if (!spare) continue;
      mine_ = std::move(spare);
      return;
    }
    mine_.reset(new (std::nothrow) Kind);
    if (!mine_) PyErr_NoMemory();
  }
  ~Lease() {
    if (is_unwound()) (void)mine_.release();
    if (!mine_ || kept_size(*mine_) > kept_size_max) return;
    for (auto& spare : spares_) {
      if (spare) continue;
      spare = std::move(mine_);
      return;
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // False with MemoryError raised.
  explicit operator bool() const noexcept { return mine_ != nullptr; }
  Kind* get() const noexcept { return mine_.get(); }
  Kind* operator->() const noexcept { return mine_.get(); }
  Kind& operator*() const noexcept { return *mine_; }

 private:
  static constexpr std::size_t kept_size_max = 1 << 20;  // bytes: what one huge value needed is not kept for ever

  Spare<Kind>& spares_;
  std::unique_ptr<Kind> mine_;
};

}  // namespace ultradict::python
