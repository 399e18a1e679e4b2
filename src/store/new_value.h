// SPDX-License-Identifier: Apache-2.0
// NewValue: a value on its way in: bytes, or a nested dict.
//
// Bytes larger than blob_size_min are staged in a file of their own before the lock is taken; the record only names it.
// A staged file that was not published is removed with its NewValue. Belongs to one thread.
#pragma once

#include <span>

#include "store/store.h"

namespace ultradict {

class NewValue {
 public:
  NewValue(Store& store, Bytes value) : store_(store), value_(value), parts_(&value_, 1), size_(value.size()) {}
  // Of a large value: the parts that follow one another, needed until it is staged.
  NewValue(Store& store, std::span<const Bytes> parts, Word size) : store_(store), parts_(parts), size_(size) {}
  NewValue(Store& store, ChildId child)
      : store_(store),
        value_(reinterpret_cast<const char*>(&child_), sizeof child_),
        size_(sizeof child_),
        kind_(RecordKind::child),
        child_{child.number, child.born} {}
  ~NewValue();
  NewValue(const NewValue&) = delete;
  NewValue& operator=(const NewValue&) = delete;

  // Writes a large value to its file; nothing for a small one.
  Fault stage();
  // Gives the file the name that the record of that sequence means.
  Fault publish(LockHeld held, Word sequence);

  bool is_blob() const { return size_ > blob_size_min; }
  Word size() const { return size_; }
  // What stands in the record.
  Bytes bytes() const { return is_blob() ? Bytes(reinterpret_cast<const char*>(&blob_), sizeof blob_) : value_; }
  RecordKind kind() const { return is_blob() ? RecordKind::blob : kind_; }
  ChildId child() const { return {child_.number, child_.born}; }  // number 0: it is bytes

 private:
  Fault take_memory(const os::File& file);
  void give_up();
  bool is_own() const;

  Store& store_;
  Bytes value_;  // whole, of a small value
  std::span<const Bytes> parts_;
  Word size_;
  RecordKind kind_ = RecordKind::value;
  ChildValue child_{};
  BlobValue blob_{};
  os::FileName staged_;  // empty: nothing is, or it is published
  Word writer_ = 0;      // token word of the process that staged it
};

}  // namespace ultradict
