// SPDX-License-Identifier: Apache-2.0
#include "store/change.h"

namespace ultradict {

namespace {

Fault resolve_control(Regions& regions, Word offset, Word** target) {
  const Word begin = offsetof(Control, state);
  const bool in_state = offset >= begin && offset < begin + sizeof(State);
  const Word segments = offsetof(Control, segments);
  const bool in_segments = offset >= segments && offset < segments + sizeof(Control::segments);
  if (offset % sizeof(Word) != 0 || (!in_state && !in_segments))
    return Fault::damaged("journal: control offset", offset);
  *target = reinterpret_cast<Word*>(reinterpret_cast<char*>(&regions.control()) + offset);
  return {};
}

Fault resolve_slot(Regions& regions, bool next, Word number, Word** target) {
  const State& state = regions.state();
  const SlotsName name{next ? state.next_slots : state.slots};
  Word* words = nullptr;
  if (Fault fault = next ? regions.next_slots(name, &words) : regions.slots(name, &words)) return fault;
  if (number >= name.count()) return Fault::damaged("journal: slot number", number, name.count());
  *target = words + number;
  return {};
}

Fault resolve(Regions& regions, Place place, Word** target) {
  *target = nullptr;
  switch (place.kind()) {
    case Place::Kind::control:
      return resolve_control(regions, place.offset(), target);
    case Place::Kind::slot:
      return resolve_slot(regions, false, place.offset(), target);
    case Place::Kind::next_slot:
      return resolve_slot(regions, true, place.offset(), target);
    case Place::Kind::entry: {
      Entry* entry = nullptr;
      if (Fault fault = regions.entry(regions.state().table_number, place.offset() / 4, &entry)) return fault;
      *target = &entry->ref + place.offset() % 4;
      return {};
    }
    case Place::Kind::unlink_file:
    case Place::Kind::unlink_blob:
    case Place::Kind::sweep_blobs:
      return {};
  }
  return Fault::damaged("journal: kind of place", place.word);
}

}  // namespace

Fault Change::redo(Regions& regions, LockHeld held) {
  Journal& journal = regions.control().journal;
  const Word word = shared::load(journal.word);
  if (word == 0) return {};
  const Word count = word & 0xffffffffU;
  if (count > stores_max) return Fault::damaged("journal: count", count, stores_max);
  Word checksum = 0;
  for (Word i = 0; i < count; ++i)
    checksum = add_to_checksum(checksum, journal.stores[i].place, journal.stores[i].value);
  if (commit_word(count, checksum) != word) return Fault::damaged("journal: checksum", word);
  for (Word i = 0; i < count; ++i) {
    const Place place{journal.stores[i].place};
    Word* target = nullptr;
    if (Fault fault = resolve(regions, place, &target)) return fault;
    if (target) {
      shared::store(*target, journal.stores[i].value);
    } else {
      remove(regions, held, place, journal.stores[i].value);
    }
  }
  shared::store(journal.word, 0);
  shared::release_fence();  // who follows may write at once where a segment was used anew
  return {};
}

void Change::remove(const Regions& regions, LockHeld held, Place place, Word value) {
  const DictFiles& files = regions.files();
  if (place.kind() == Place::Kind::unlink_blob) return files.remove(held, DictFiles::blob(value));
  if (place.kind() == Place::Kind::sweep_blobs) return (void)files.remove_blobs(held, 0, value);
  switch (FileKind(place.offset())) {
    case FileKind::slots:
      return files.remove(held, DictFiles::slots(value));
    case FileKind::segment:
      return files.remove(held, DictFiles::segment(value));
    case FileKind::entries:
      return files.remove_entries(held, value);
  }
}

}  // namespace ultradict
