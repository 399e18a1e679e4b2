// SPDX-License-Identifier: Apache-2.0
#include "store/reader.h"

#include "store/nested.h"
#include "store/retry.h"
#include "store/sighting.h"
#include "store/witness.h"
#include "structures/record.h"
#include "structures/slots.h"

namespace ultradict {

namespace {

// What a look-up rests on: it counts only if both are the same afterwards.
struct Epoch {
  Word table_number;
  SlotsName slots;

  static Epoch of(const State& state) { return {shared::load(state.table_number), {shared::load(state.slots)}}; }
  bool is_settled() const { return table_number % 2 == 0; }
  bool holds(const State& state) const {
    shared::acquire_fence();
    return shared::load_relaxed(state.table_number) == table_number && shared::load_relaxed(state.slots) == slots.word;
  }
};

Fault changed() { return Fault::of(Code::changed); }

void describe(const RecordView& view, Record* record) {
  if (!record) return;
  record->canonical = view.key();
  record->face = view.face();
  record->exotic = view.is_exotic();
  record->is_blob = view.is_blob();
  record->child = id_of(view.child());
  record->value = view.is_blob() || view.is_child() ? Bytes() : view.value();
  record->value_size = view.is_blob() ? view.blob().size : view.header.value_size;
  record->sequence = view.header.sequence;
}

// Fills in `found` for the entry that it names by table and number.
Fault look_at(Store& store, Buffer* buffer, Found* found) {
  const Word number = found->number;
  if (number == 0 || number >= shared::load(store.state().entries_size)) return Fault::damaged("entry number", number);
  if (Fault fault = store.regions.entry(found->table, number, &found->entry)) return fault;
  found->born = shared::load(found->entry->born);
  const Ref ref{shared::load(found->entry->ref)};
  // Behind those used in this table lies what tables before left: this is asked after the ref, which is stored later.
  if (ref && number >= shared::load(store.state().entries_used)) return Fault::damaged("entry: not used yet", number);
  // An entry that was ever used has a hash, also when it is free, unless it becomes a nested dict just now: no writer
  // leaves what leads here and nothing there.
  if (!ref && found->born == 0 && shared::load(found->entry->hash) == 0) return changed();
  if (!ref) return Fault::of(Code::not_found);
  // Deleted and inserted anew meanwhile, or a nested dict by now: no slot leads to one, and no chain.
  if (found->born == 0 || HeaderMark{ref.word}.is_header()) return changed();
  if (Fault fault = copy_record(store, ref, buffer, &found->view)) return fault;
  shared::acquire_fence();
  if (shared::load_relaxed(found->entry->born) != found->born) return changed();
  return check_own(found->view.header, number, found->born);
}

// One attempt. changed: look again.
Fault find_once(Store& store, Word dict, Bytes key, Word hash, Buffer* buffer, Found* found) {
  const State& state = store.state();
  const Epoch epoch = Epoch::of(state);
  if (!epoch.is_settled()) return changed();
  Word* words = nullptr;
  Fault fault = store.regions.slots(epoch.slots, &words);
  if (!epoch.holds(state)) return changed();
  if (fault) return fault;
  found->table = epoch.table_number;
  Fault inner;
  bool stopped = false;
  fault = Slots(words, epoch.slots.bits()).probe(hash, &stopped, [&](Word, Word number) {
    found->number = number;
    const Fault looked = look_at(store, buffer, found);
    if (!looked) return found->view.key() == key && found->view.header.dict_id == dict;
    if (looked.code == Code::not_found) return false;
    inner = looked;
    return true;
  });
  if (!epoch.holds(state)) return changed();
  if (fault) return fault;
  if (inner) return inner;
  return stopped ? Fault::none() : Fault::of(Code::not_found);
}

// Whether the slots alone say that there is no key of this hash: the probe meets none of its tag and ends at an empty
// one. False may also mean: look closer.
bool is_absent(Store& store, Word hash) {
  const ReadGuard guard(store.regions);
  const State& state = store.state();
  const Epoch epoch = Epoch::of(state);
  Word* words = nullptr;
  if (!epoch.is_settled() || store.regions.slots(epoch.slots, &words)) return false;
  return Slots(words, epoch.slots.bits()).is_absent(hash) && epoch.holds(state);
}

bool is_found_at_a_glance(Store& store, ChildId dict, Bytes key, Word hash, Buffer* buffer, Found* found) {
  const ReadGuard guard(store.regions);
  char* const copy = buffer->reserve(glance_size);
  if (!copy) return false;
  const Glimpse seen = glance(store.regions, dict.number, key, hash, copy);
  if (!seen) return false;
  describe(seen, found);
  return dict.number == 0 || !check_alive(store, dict);  // the number may be that of another dict by now
}

Fault find_hashed(Store& store, ChildId dict, Bytes key, Word hash, Buffer* buffer, Found* found) {
  if (is_found_at_a_glance(store, dict, key, hash, buffer, found)) [[likely]]
    return {};
  return find_carefully(store, dict, key, hash, buffer, found);
}

}  // namespace

void note(Store& store, const Found& found, Sighting* seen) {
  const RecordView& view = found.view;
  *seen = sighting_of(store.state(), found.table, *found.entry, found.number, view.header.ref, found.born,
                      view.header.sequence, view.is_blob() ? view.blob().checksum : 0);
}

bool get_at_a_glance(Store& store, ChildId dict, Bytes key, Word hash, std::string* value) {
  alignas(Word) char copy[glance_size];
  Glimpse seen;
  {
    const ReadGuard guard(store.regions);
    seen = glance(store.regions, dict.number, key, hash, copy);
    if (!seen || (dict.number != 0 && check_alive(store, dict))) return false;
  }
  copy_to(seen.value(), value);
  return true;
}

Fault find_carefully(Store& store, ChildId dict, Bytes key, Word hash, Buffer* buffer, Found* found) {
  const Fault fault = look_until_consistent(store, [&] {
    const Fault once = find_once(store, dict.number, key, hash, buffer, found);
    if (dict.number == 0 || once.code == Code::changed) return once;
    const Fault gone = check_alive(store, dict);
    return gone ? gone : once;
  });
  return fault.code == Code::changed ? Fault::damaged("a look-up under the lock is not consistent") : fault;
}

Fault find(Store& store, ChildId dict, Bytes key, Sighting* seen, Buffer* buffer, Record* record) {
  static thread_local Buffer own;  // for who does not ask for the record
  Found found;
  const Word hash = store.hash(dict.number, key);
  if (Fault fault = find_hashed(store, dict, key, hash, buffer ? buffer : &own, &found)) return fault;
  if (seen) note(store, found, seen);
  describe(found.view, record);
  return {};
}

Fault contains(Store& store, ChildId dict, Bytes key) {
  const Word hash = store.hash(dict.number, key);
  if (dict.number == 0 && is_absent(store, hash)) return Fault::of(Code::not_found);
  static thread_local Buffer buffer;
  Found found;
  return find_hashed(store, dict, key, hash, &buffer, &found);
}

Fault read_entry(Store& store, Word table, Word entry_number, Word born, Sighting* seen, Buffer* buffer,
                 Record* record) {
  Found found;
  found.table = table;
  found.number = entry_number;
  // What the entries of a table that was replaced left behind in control looks like theirs.
  const auto is_gone = [&] {
    shared::acquire_fence();
    return table % 2 != 0 || shared::load_relaxed(store.state().table_number) != table ||
           (found.entry && shared::load_relaxed(found.entry->born) != born);
  };
  char* const copy = buffer->reserve(glance_size);
  if (const Glimpse glimpse = copy ? glance_at(store.regions, table, entry_number, copy) : Glimpse{}) {
    describe(glimpse, &found);
  } else {
    const Fault fault = look_at(store, buffer, &found);
    if (fault && is_gone()) return Fault::of(Code::not_found);
    if (fault) return fault.code == Code::not_found ? changed() : fault;  // it is about to go, or to come
  }
  if (found.born != born || is_gone()) return Fault::of(Code::not_found);
  note(store, found, seen);
  describe(found.view, record);
  return {};
}

Fault reread(Store& store, Sighting* seen, Buffer* buffer, Record* record, bool* moved) {
  *moved = false;
  if (seen->born == 0) return changed();  // from changes(): deleted
  const Word sequence = seen->sequence;
  // The key had been inserted when it was seen: an entry without a ref now is one whose deletion has shown, however
  // long its writer takes for the rest.
  const auto has_no_ref = [&] {
    Entry* entry = nullptr;
    return !store.regions.entry(seen->table_number, seen->entry, &entry) && shared::load(entry->ref) == 0;
  };
  const Fault fault = look_until_consistent(store, [&] {
    const Fault once = read_entry(store, seen->table_number, seen->entry, seen->born, seen, buffer, record);
    return once.code == Code::changed && has_no_ref() ? Fault::of(Code::not_found) : once;
  });
  if (fault.code == Code::not_found) return changed();
  if (fault.code == Code::changed) return Fault::damaged("an entry under the lock is not consistent", seen->entry);
  *moved = !fault && seen->sequence == sequence;
  return fault;
}

namespace {

// A file that is gone was overwritten meanwhile, or else it should be there.
Fault judge_blob(Store& store, const Sighting& seen, const Fault& fault) {
  if (fault.code != Code::not_found) return fault;
  if (seen.ref_word == nullptr) return changed();  // filled in by no call
  const ReadGuard guard(store.regions);
  return seen.current() ? Fault::damaged("blob: its file is missing", seen.sequence) : changed();
}

}  // namespace

Fault map_blob(Store& store, const Sighting& seen, Word size, const char** base, Word* checksum) {
  *checksum = seen.blob_checksum;
  return judge_blob(store, seen, store.regions.files().map_blob(seen.sequence, size, base));
}

void unmap_blob(const char* base, Word size) { os::unmap(const_cast<char*>(base), size); }

Fault check_blob_size(Store& store, const Sighting& seen, Word size) {
  Word there = 0;
  const Fault fault = store.regions.files().blob_size(seen.sequence, &there);
  if (!fault && there != size) return Fault::damaged("blob: size of its file", there, size);
  return judge_blob(store, seen, fault);
}

Fault read_blob(Store& store, const Sighting& seen, Word size, char* destination) {
  const Fault fault = judge_blob(store, seen, store.regions.files().read_blob(seen.sequence, destination, size));
  if (fault) return fault;
  const Word found = checksum64(destination, size);
  if (found != seen.blob_checksum) return Fault::damaged("blob: checksum", found, seen.blob_checksum);
  return {};
}

}  // namespace ultradict
