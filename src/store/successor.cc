// SPDX-License-Identifier: Apache-2.0
#include "store/successor.h"

namespace ultradict {

Fault KeptKey::copy(Store& store, const Located& old) {
  const RecordHeader& header = old.view.header;
  const Word size = Word{header.key_size} + header.face_size;
  char* const copied = size <= sizeof few_ ? few_ : many_.reserve(round_up(size, sizeof(Word)));
  if (!copied) return Fault::of(Code::memory_full, "no memory for a copy of a key");
  shared::copy_out(copied, old.view.bytes + sizeof header, size);
  key_ = {Bytes(copied, header.key_size), Bytes(copied + header.key_size, header.face_size), old.view.is_exotic()};
  if (Fault fault = check_hash(store, old, key_.canonical)) return fault;
  return is_mere_value(old.view) ? check_length(store, old.view) : check_in_place(old.view, key_.canonical, key_.face);
}

Fault write_any_successor(Store& store, const Room& room, const HeaderWords& header, const Located& old,
                          const Bytes* asked, Bytes value) {
  KeptKey key;
  if (Fault fault = key.take(store, old, asked)) return fault;
  write_record(room.at, header.header(), key.key().canonical, key.key().face, value);
  return {};
}

}  // namespace ultradict
