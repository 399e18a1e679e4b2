// SPDX-License-Identifier: Apache-2.0
// d.view(key): a value without a copy of its bytes. And what a handle remembers of the large values it has mapped, so
// that the next view of the same value need not map it again.
#pragma once

#include <cstdint>
#include <vector>

#include "ref.h"
#include "shared_bytes.h"
#include "ultradict/dict.h"

namespace ultradict::python {

struct Session;

// A large value that was mapped. Its bytes stay as they were whatever happens to the key.
struct MappedView {
  Sighting seen;
  Ref whole;   // of `bytes`: the SharedBytes; else null
  Ref pickle;  // of a pickle with buffers: the pickle, and a tuple of read-only memoryviews
  Ref buffers;

  MappedView copy() const noexcept { return {seen, whole.copy(), pickle.copy(), buffers.copy()}; }
};

// Those whose keys still have these values. Otherwise they are dropped at the end of the next operation of the handle,
// or by one in a thousand of those that are none (Session::tidy): until then their memory is in use, whether or not
// somebody has a view. Who does nothing at all keeps them.
class MappedViews {
 public:
  bool empty() const noexcept { return views_.empty(); }
  // Borrowed, valid until anything else is done here; null: it is not known.
  const MappedView* find(const Sighting& seen) const noexcept;
  // Throws std::bad_alloc.
  void add(MappedView view);
  void drop_old() noexcept;
  void clear() noexcept { const std::vector<MappedView> gone = std::move(views_); }
  const PinnedBytes& pinned() const noexcept { return pinned_; }

 private:
  void keep(MappedView view) noexcept;

  static constexpr std::size_t count_max = 64;

  std::vector<MappedView> views_;  // the latest last
  PinnedBytes pinned_ = std::make_shared<std::uint64_t>(0);
};

PyObject* dict_view(PyObject* self, PyObject* key);

}  // namespace ultradict::python
