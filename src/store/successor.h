// SPDX-License-Identifier: Apache-2.0
// Successor: the record that takes the place of another one of the same key.
//
// What the old one hands on is proved to be right and then written once more, under a checksum of its own. It must not
// change in between, as it could in shared memory: it is proved where it was copied to.
#pragma once

#include "store/locate.h"
#include "store/log.h"
#include "structures/record.h"

namespace ultradict {

// The key and face of a record that is replaced.
class KeptKey {
 public:
  // Of a record in place. `asked` is the key that was asked for, which led to it; null if a Sighting did.
  Fault take(Store& store, const Located& old, const Bytes* asked) {
    if (!asked || !is_mere_value(old.view)) return copy(store, old);
    key_.canonical = *asked;
    return check_length(store, old.view);
  }
  const Key& key() const { return key_; }

 private:
  Fault copy(Store& store, const Located& old);

  Key key_;
  Buffer many_;
  alignas(Word) char few_[128];
};

[[gnu::cold]] Fault write_any_successor(Store& store, const Room& room, const HeaderWords& header, const Located& old,
                                        const Bytes* asked, Bytes value);

// Writes the record with another small value for another small value; `asked` as above.
[[gnu::always_inline]] inline Fault write_successor(Store& store, const Room& room, const Located& old,
                                                    const Bytes* asked, Bytes value) {
  const RecordHeader& before = old.view.header;
  const HeaderWords header = HeaderWords::of(room.ref, old.number, before.dict_id, before.key_size, before.face_size,
                                             value.size(), before.kind_and_flags);
  const Word size = record_size(before.key_size, before.face_size, value.size());
  if (!is_mere_value(old.view) || size > ShortRecord::size_max) [[unlikely]]
    return write_any_successor(store, room, header, old, asked, value);
  ShortRecord record;
  auto writer = record.writer(room.at);
  header.append_to(writer);
  if (asked) {
    writer.append(*asked);
  } else {
    writer.append_words(reinterpret_cast<const Word*>(old.view.key().data()), before.key_size);
  }
  writer.append(value);
  writer.finish();
  if (Fault fault = asked ? Fault::none() : check_hash(store, old, record.key(before.key_size))) return fault;
  set_checksum(room.at, before.key_size, record.checksum(size));
  return check_length(store, old.view);  // the new one may well be behind it
}

}  // namespace ultradict
