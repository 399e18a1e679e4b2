// SPDX-License-Identifier: Apache-2.0
// Writer: put and erase of one key, each one change (change.h), under the lock.
//
// A value larger than blob_size_min is staged in a file of its own before the lock is taken; the record only names it.
#pragma once

#include "store/change.h"
#include "store/log.h"
#include "store/store.h"

namespace ultradict {

// A value on its way in: bytes, or a nested dict. A staged file that was not published is removed with it.
class NewValue {
 public:
  NewValue(Store& store, Bytes value) : store_(store), value_(value) {}
  NewValue(Store& store, ChildId child)
      : store_(store),
        value_(reinterpret_cast<const char*>(&child_), sizeof child_),
        kind_(RecordKind::child),
        child_{child.number, child.born} {}
  ~NewValue();
  NewValue(const NewValue&) = delete;
  NewValue& operator=(const NewValue&) = delete;

  // Writes a large value to its file; nothing for a small one.
  Fault stage();
  // Gives the file the name that the record of that sequence means.
  Fault publish(LockHeld held, Word sequence);

  bool is_blob() const { return value_.size() > blob_size_min; }
  Word size() const { return value_.size(); }
  // What stands in the record.
  Bytes bytes() const { return is_blob() ? Bytes(reinterpret_cast<const char*>(&blob_), sizeof blob_) : value_; }
  RecordKind kind() const { return is_blob() ? RecordKind::blob : kind_; }
  ChildId child() const { return {child_.number, child_.born}; }  // number 0: it is bytes

 private:
  Store& store_;
  Bytes value_;
  RecordKind kind_ = RecordKind::value;
  ChildValue child_{};
  BlobValue blob_{};
  std::string staged_;
};

// An entry that belongs to a key, with its current record in place.
struct Located {
  Word number = 0;  // 0: the key is not there
  Entry* entry = nullptr;
  RecordView view;
};

Fault locate(Store& store, LockHeld held, Word dict, Bytes key, Word hash, Located* located);
Fault locate_seen(Store& store, LockHeld held, const Sighting& seen, Located* located);
// Writes a record where there is room; nobody can see it before a change names it.
void write_new_record(const Room& room, Word dict, Word entry, const Key& key, const NewValue& value, RecordView* now);
Fault record_in_place(Store& store, LockHeld held, Ref ref, RecordView* view);

Fault put(Store& store, LockHeld held, ChildId dict, const Key& key, NewValue& value, Sighting* written);
Fault put_at(Store& store, LockHeld held, Sighting* seen, NewValue& value);
Fault erase(Store& store, LockHeld held, ChildId dict, Bytes key);
Fault erase_at(Store& store, LockHeld held, const Sighting& seen);

// Whether the stream counters count a deletion: not that of a key whose whole dict goes.
enum class Streamed : std::uint8_t { no, yes };
// Deletes the key; nested dicts that lose their last link by it stay loose.
Fault remove_entry(Store& store, LockHeld held, const Located& old, Streamed streamed);

// The stores, but for the tail, that make a record in the log the value of its entry: an overwrite, or an insertion.
Fault apply_overwrite(Store& store, LockHeld held, Change& change, const Located& old, const RecordView& now);
Fault apply_insertion(Store& store, LockHeld held, Change& change, const RecordView& now, Word hash);

}  // namespace ultradict
