// SPDX-License-Identifier: Apache-2.0
#include "harness/damage.h"

#include <algorithm>

#include "base/hash.h"
#include "store/dict_files.h"
#include "structures/record.h"

namespace ultradict::fuzz {

Damage::Damage(Files& files, unsigned mends)
    : files_(files), identity_(control_of(files).identity), mends_(mends), control_bytes_(bytes_of("control")) {
  const State& state = control().state;
  const SlotsName slots{state.slots};
  slots_count_ = slots.count();
  entries_used_ = state.entries_used;
  if (slots.file() >= first_file) slots_bytes_ = bytes_of(std::string(DictFiles::slots(slots.file())));
  entries_bytes_ = bytes_of(std::string(DictFiles::entries(state.table_number, 1)));
  find_records();
}

std::string* Damage::bytes_of(const std::string& file) {
  const auto found = files_.find(file);
  return found == files_.end() ? nullptr : &found->second;
}

void Damage::find_records() {
  for (Word number = 1; number < entries_used_; ++number) {
    const Word* entry = entry_words(number);
    const Ref ref{entry ? entry[0] : 0};
    if (!ref || HeaderMark{ref.word}.is_header()) continue;
    const SegmentDescriptor& segment = control().segments[ref.segment()];
    const bool in_control = segment.file == control_file;
    RecordPlace place{in_control ? control_bytes_ : bytes_of(std::string(DictFiles::segment(segment.file))),
                      (ref.position() - segment.first) * unit_size};
    if (in_control) place.offset += identity_.segments_offset + ref.segment() * identity_.segment_size;
    records_.push_back(place);
  }
}

// Null where the files do not have it.
Word* Damage::entry_words(Word number) {
  const bool in_control = number < control_entries;
  std::string* const bytes = in_control ? control_bytes_ : entries_bytes_;
  const Word offset =
      in_control ? identity_.entries_offset + number * sizeof(Entry) : (number - control_entries) * sizeof(Entry);
  if (!bytes || offset + sizeof(Entry) > bytes->size()) return nullptr;
  return reinterpret_cast<Word*>(bytes->data() + offset);
}

Word* Damage::slot_words(Word number) {
  std::string* const bytes = slots_bytes_ ? slots_bytes_ : control_bytes_;
  const Word offset = (slots_bytes_ ? 0 : identity_.slots_offset) + number * sizeof(Word);
  if (offset + sizeof(Word) > bytes->size()) return nullptr;
  return reinterpret_cast<Word*>(bytes->data() + offset);
}

Word Damage::altered(Input& input, Word now) {
  const std::uint8_t how = input.byte();
  const Word small = input.byte();
  switch (how % 12) {
    case 0:
    case 1:
      return now ^ Word { 1 } << small % 64;
    case 2:
      return small;
    case 3:
      return now + small;
    case 4:
      return now - small;
    case 5:
      return ~Word{0} - small;
    case 6:
      return Word{1} << small % 64;
    case 7:
      return Links::of(small, input.byte()).word;
    case 8:
      return HeaderMark::of(input.byte() % 4, input.byte() % 2 != 0, small).word;
    case 9: {
      const Word* other = entry_words(1 + small % entries_used_);
      return other ? other[input.byte() % 4] : 0;
    }
    case 10:
      return HeaderMark::mark | small;
    default:
      return input.number<Word>();
  }
}

void Damage::alter(Input& input, Word* word) {
  if (word) *word = altered(input, *word);
}

void Damage::alter_slot(Input& input) {
  Word* word = slot_words(input.below(slots_count_));
  alter(input, word);
  if (word && (mends_ & mend_slots) != 0) *word = Slot::make(*word & 0xffffffffU, *word >> 32 & 0xffffffU).word;
}

void Damage::alter_record(Input& input) {
  if (records_.empty()) return;
  const RecordPlace& place = records_[input.byte() % records_.size()];
  const Word offset = place.offset + input.byte() % 12 * sizeof(Word);
  if (offset + sizeof(Word) <= place.bytes->size()) alter(input, reinterpret_cast<Word*>(place.bytes->data() + offset));
}

void Damage::alter_journal(Input& input) {
  Journal& found = control().journal;
  const std::uint8_t number = input.byte() % 8;
  found.word = number + 1;
  JournalStore& store = found.stores[number];
  const auto kind = static_cast<Place::Kind>(input.byte() % 9);
  const bool in_state = kind == Place::Kind::control && input.byte() % 2 == 0;
  const Word offset = in_state ? offsetof(Control, state) + input.byte() * sizeof(Word) : input.number<Word>();
  store.place = Place::make(kind, offset & 0xffffffffffffffU).word;
  alter(input, &store.value);
}

void Damage::alter_file(Input& input) {
  auto file = files_.begin();
  std::advance(file, input.byte() % files_.size());
  std::string& bytes = file->second;
  const Word at = input.below(bytes.size() + 1);
  switch (input.byte() % 4) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(input.byte());
      return;
    case 1:
      // What the other parts are looked up by stays.
      return bytes.resize(file->first == "control" ? std::max(at, sizeof(Control)) : at);
    case 2:
      return bytes.resize(bytes.size() + at);
    default:
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), std::min<Word>(4096, bytes.size() - at), '\0');
  }
}

void Damage::apply(Input& input) {
  const auto word_of = [&](auto& part) {
    return reinterpret_cast<Word*>(&part) + input.byte() % (sizeof part / sizeof(Word));
  };
  switch (input.byte() % 12) {
    case 0:
    case 1:
      return alter(input, word_of(control().state));
    case 2:
    case 3:
      return alter(input, word_of(control().segments[input.byte() % 4]));
    case 4:
    case 5: {
      Word* entry = entry_words(1 + input.byte() % entries_used_);
      const std::uint8_t word = input.byte() % 4;
      return alter(input, entry ? entry + word : nullptr);
    }
    case 6:
      return alter_slot(input);
    case 7:
    case 8:
      return alter_record(input);
    case 9:
      return alter_journal(input);
    case 10:
      return alter(input, input.byte() % 32 == 0 ? &control().lock : word_of(control().identity));
    default:
      return alter_file(input);
  }
}

void Damage::mend() {
  if ((mends_ & mend_identity) != 0) {
    Identity& found = control().identity;
    found.checksum = 0;
    found.checksum = checksum64(&found, sizeof found);
  }
  if ((mends_ & mend_journal) != 0) {
    // As Change computes it.
    Journal& found = control().journal;
    const Word count = std::min(found.word & 0xffffffffU, stores_max);
    Word sum = 0;
    for (Word i = 0; i < count; ++i) {
      sum = ((sum ^ found.stores[i].place) * 0x9e3779b97f4a7c15ULL ^ found.stores[i].value) * 0xc2b2ae3d27d4eb4fULL;
    }
    found.word = count == 0 ? 0 : count | sum >> 32 << 32;
  }
  if ((mends_ & mend_records) == 0) return;
  for (const RecordPlace& place : records_) {
    std::string& bytes = *place.bytes;
    if (place.offset + sizeof(RecordHeader) > bytes.size()) continue;
    auto* header = reinterpret_cast<RecordHeader*>(bytes.data() + place.offset);
    const Word size = record_size(*header);
    if (size > bytes.size() - place.offset) continue;
    header->checksum = 0;
    header->checksum = record_checksum(bytes.data() + place.offset, size);
  }
}

}  // namespace ultradict::fuzz
