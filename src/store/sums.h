// SPDX-License-Identifier: Apache-2.0
// Sums: what records that come and go do to the counters in control. Under the lock.
#pragma once

#include "store/change.h"
#include "structures/record.h"

namespace ultradict {

// The stream counters of the classic design: bytes since the last full dump, and how many dumps there were.
// Together they grow with every change of a key. `word` as it is after `size` more bytes.
[[gnu::always_inline]] inline Word streamed(const Control& control, Word word, Word size) {
  const Word position = (word & 0xffffffffU) + size;
  const bool overflows = position > control.identity.buffer_size;
  return overflows ? ((word >> 32) + 1) << 32 : (word & ~Word{0xffffffff}) | position;
}

// Returns the new ones.
[[gnu::always_inline]] inline Word stream(Change& change, Control& control, Word size) {
  const Word now = streamed(control, control.state.stream, size);
  change.set(control.state.stream, now);
  return now;
}

[[gnu::always_inline]] inline void add_to(Change& change, Word& word, Word added, Word removed = 0) {
  if (added != removed) change.set(word, word + added - removed);
}

// What a record that comes and one that goes (either may be none) do to the sums in control.
[[gnu::always_inline]] inline void count(Change& change, Control& control, const RecordView* now,
                                         const RecordView* old) {
  State& state = control.state;
  const Word added = now ? now->size() : 0;
  const Word removed = old ? old->size() : 0;
  Word* to = now ? &control.segments[Ref{now->header.ref}.segment()].live : nullptr;
  Word* from = old ? &control.segments[Ref{old->header.ref}.segment()].live : nullptr;
  if (to == from) {
    add_to(change, *to, added, removed);
  } else {
    if (to) add_to(change, *to, added);
    if (from) add_to(change, *from, 0, removed);
  }
  add_to(change, state.live_size, added, removed);
  add_to(change, state.content_size, now ? now->content_size() : 0, old ? old->content_size() : 0);
  const bool adds_blob = now && now->is_blob();
  const bool removes_blob = old && old->is_blob();
  if (!adds_blob && !removes_blob) return;
  add_to(change, state.blob_count, adds_blob ? 1 : 0, removes_blob ? 1 : 0);
  add_to(change, state.blob_size, adds_blob ? now->blob_size() : 0, removes_blob ? old->blob_size() : 0);
}

}  // namespace ultradict
