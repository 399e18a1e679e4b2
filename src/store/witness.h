// SPDX-License-Identifier: Apache-2.0
// Witness: whether a segment is still what it was when a reader began to look into it. A reader copies first and asks
// then; what it found in memory that was reused meanwhile is neither a record nor a fault.
#pragma once

#include <algorithm>

#include "store/store.h"
#include "structures/record.h"

namespace ultradict {

class SegmentWitness {
 public:
  SegmentWitness(const Control& control, Word segment) : descriptor_(control.segments[segment]) {
    first_ = shared::load(descriptor_.first);
    file_ = shared::load(descriptor_.file);
  }
  Word first() const { return first_; }
  Word file() const { return file_; }
  [[gnu::always_inline]] bool holds() const {
    shared::acquire_fence();
    return shared::load_relaxed(descriptor_.first) == first_ && shared::load_relaxed(descriptor_.file) == file_;
  }
  // A fault found in memory that was replaced meanwhile is none.
  Fault judge(const Fault& fault) const { return holds() ? fault : Fault::of(Code::changed); }

 private:
  const SegmentDescriptor& descriptor_;
  Word first_;
  Word file_;
};

// Copies the header of the record at `ref`, which counts if the witness holds afterwards; `*source` is the record in
// place.
inline Fault copy_header(Store& store, Ref ref, const SegmentWitness& witness, const char** source,
                         RecordHeader* header) {
  if (witness.file() == 0 || ref.position() < witness.first()) return Fault::of(Code::changed);
  const Word offset = (ref.position() - witness.first()) * unit_size;
  char* base = nullptr;
  const Fault fault = store.regions.segment(ref.segment(), witness.file(), offset + sizeof(RecordHeader), &base);
  if (fault) return witness.judge(fault);
  *source = base + offset;
  shared::copy_out(header, *source, sizeof *header);
  return witness.judge(check_header(*header, ref, ~Word{0}));
}

// Copies the record that `ref` names. changed: the segment was reused meanwhile, so the ref is old.
inline Fault copy_record(Store& store, Ref ref, Buffer* buffer, RecordView* view) {
  constexpr Word first_look = 256;  // enough for the whole of most records
  const SegmentDescriptor& segment = store.control().segments[ref.segment()];
  const SegmentWitness witness(store.control(), ref.segment());
  if (witness.file() == 0 || ref.position() < witness.first()) return Fault::of(Code::changed);
  const Word offset = (ref.position() - witness.first()) * unit_size;
  const Word there = shared::load_relaxed(segment.size);
  if (offset + sizeof(RecordHeader) > there) return witness.judge(Fault::damaged("record: ref", offset, there));
  const Word looked_at = std::min(there - offset, first_look);
  char* base = nullptr;
  Fault fault = store.regions.segment(ref.segment(), witness.file(), offset + looked_at, &base);
  if (fault) return witness.judge(fault);
  char* copy = buffer->reserve(first_look);
  if (!copy) return Fault::of(Code::memory_full, "no memory for a copy of a record");
  shared::copy_out(copy, base + offset, sizeof view->header);
  std::memcpy(&view->header, copy, sizeof view->header);
  fault = check_header(view->header, ref, there - offset);
  if (fault) return witness.judge(fault);
  const Word size = view->size();
  if (size <= looked_at) [[likely]] {
    shared::copy_out(copy + sizeof view->header, base + offset + sizeof view->header, size - sizeof view->header);
  } else {
    fault = store.regions.segment(ref.segment(), witness.file(), offset + size, &base);
    if (fault) return witness.judge(fault);
    copy = buffer->reserve(size);
    if (!copy) return Fault::of(Code::memory_full, "no memory for a copy of a record");
    shared::copy_out(copy, base + offset, size);
  }
  if (!witness.holds()) return Fault::of(Code::changed);
  view->bytes = copy;
  return check_copy(copy, view->header);
}

}  // namespace ultradict
