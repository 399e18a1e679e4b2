// SPDX-License-Identifier: Apache-2.0
// CacheBudget: the bound that the caches of one dict and of its nested dicts share, and the references that they let
// go.
//
// What a cache lets go is not dropped at once: that may run Python code. It waits in one list until somebody says that
// nothing is half-done.
//
// Thread safety: everything needs the interpreter lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ref.h"

namespace ultradict::python {

class Cache;

class CacheBudget {
 public:
  CacheBudget() noexcept = default;
  CacheBudget(const CacheBudget&) = delete;
  CacheBudget& operator=(const CacheBudget&) = delete;
  ~CacheBudget();

  // --- bound ---
  void set_size_max(std::uint64_t size_max) noexcept { size_max_ = size_max; }
  std::uint64_t size_max() const noexcept { return size_max_; }
  bool has_room(std::uint64_t size) const noexcept { return size_ + size <= size_max_; }
  void add(std::uint64_t size) noexcept { size_ += size; }  // a negative one, too, modulo 2^64
  // All caches take turns to drop what was not used lately, until the bound holds again; never item `kept` of `cache`.
  void make_room(const Cache& cache, std::uint32_t kept) noexcept;
  void join(Cache* cache) noexcept;
  void leave(Cache* cache) noexcept;

  // --- letting go ---
  bool has_doomed() const noexcept { return doomed_count_ != 0; }
  void doom(PyObject* object) noexcept;  // takes over a reference
  void drop_doomed() noexcept;
  int traverse(visitproc visit, void* arg) const;

 private:
  std::uint64_t size_ = 0;
  std::uint64_t size_max_ = 0;
  Cache* hand_ = nullptr;  // whose turn it is; the caches form a ring
  PyObject** doomed_ = nullptr;
  std::size_t doomed_count_ = 0;
  std::size_t doomed_capacity_ = 0;
};

}  // namespace ultradict::python
