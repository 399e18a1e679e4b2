// SPDX-License-Identifier: Apache-2.0
// Reader: look-ups that take no lock and wait for nobody. A glance (glance.h) is enough for most of them.
//
// A reader copies a record out of the log, then makes sure that the segment was not reused under it; nothing is decoded
// from shared memory itself. What it found belongs to one life of the key if the entry's `born` is the same before and
// after. Otherwise it looks again (retry.h).
#pragma once

#include <cstring>
#include <string>

#include "store/glance.h"
#include "store/store.h"
#include "structures/record.h"

namespace ultradict {

// A string that has the size already, as that of who reads again and again often has, is only filled.
inline void copy_to(Bytes bytes, std::string* value) {
  value->resize(bytes.size());
  if (!bytes.empty()) std::memcpy(value->data(), bytes.data(), bytes.size());
}

// False: no answer, and `*value` is as it was.
bool get_at_a_glance(Store& store, ChildId dict, Bytes key, Word hash, std::string* value);
// ok, not_found or dict_gone.
Fault find_carefully(Store& store, ChildId dict, Bytes key, Word hash, Buffer* buffer, Found* found);
// What was found, as its Sighting.
void note(Store& store, const Found& found, Sighting* seen);

// ok, not_found or dict_gone; buffer and record may be null if the record is not asked for.
Fault find(Store& store, ChildId dict, Bytes key, Sighting* seen, Buffer* buffer, Record* record);

// ok, not_found or dict_gone.
Fault contains(Store& store, ChildId dict, Bytes key);

// As Dict::reread.
Fault reread(Store& store, Sighting* seen, Buffer* buffer, Record* record, bool* moved);

// The value of the record that the entry names now; not_found if the table is another by now, or the entry no longer
// belongs to `born`; changed: look again. For cursors.
Fault read_entry(Store& store, Word table, Word entry_number, Word born, Sighting* seen, Buffer* buffer,
                 Record* record);

// A mapping of the blob's bytes, for good. `*checksum` is what they should have.
Fault map_blob(Store& store, const Sighting& seen, Word size, const char** base, Word* checksum);
void unmap_blob(const char* base, Word size);
// Whether the blob is as long as its record says, for who will make room for it.
Fault check_blob_size(Store& store, const Sighting& seen, Word size);
Fault read_blob(Store& store, const Sighting& seen, Word size, char* destination);

}  // namespace ultradict
