// SPDX-License-Identifier: Apache-2.0
#include "store/identity.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

#include "base/hash.h"
#include "structures/record.h"

namespace ultradict {

namespace {

constexpr Word control_segment_size_max = 256 * 1024;
constexpr Word first_position = 16;  // 0 means none
constexpr Word first_table_number = 2;

Word checksum_of(Identity identity) {
  identity.checksum = 0;
  return checksum64(&identity, sizeof identity);
}

void place_parts(Identity* identity) {
  const Word wanted = round_up(identity->buffer_size / 2, unit_size);
  identity->slots_offset = sizeof(Control);
  identity->entries_offset = identity->slots_offset + 2 * control_slots * sizeof(Word);
  identity->segments_offset = identity->entries_offset + control_entries * sizeof(Entry);
  identity->segment_size = std::clamp(wanted, page_size, control_segment_size_max);
  const Word end = identity->segments_offset + control_segments * identity->segment_size;
  identity->size = round_up(end, page_size);
  identity->segment_size += (identity->size - end) / control_segments / unit_size * unit_size;
}

}  // namespace

std::string_view name_of(const Identity& identity) {
  return {reinterpret_cast<const char*>(identity.name), identity.name_size};
}

os::Text<40> id_of(const Identity& identity) { return os::Text<40>("%016lx%016lx", identity.id[0], identity.id[1]); }

Fault read_identity(const os::File& control, Identity* identity) {
  os::Size size = 0;
  if (Fault fault = os::file_size(control, &size)) return fault;
  if (size < 2 * sizeof(Word)) return Fault::damaged("control: size of the file", size, sizeof(Control));
  if (Fault fault = os::read_at(control, 0, reinterpret_cast<char*>(identity), 2 * sizeof(Word))) return fault;
  if (identity->magic != magic)
    return Fault::damaged("control: it does not begin as a dict does", identity->magic, magic);
  if (identity->format_version != format_version) {
    return Fault{Code::other_format, 0, nullptr, identity->format_version, format_version};
  }
  if (size < sizeof(Control)) return Fault::damaged("control: size of the file", size, sizeof(Control));
  if (Fault fault = os::read_at(control, 0, reinterpret_cast<char*>(identity), sizeof *identity)) return fault;
  if (identity->size != size) return Fault::damaged("control: size of the file", size, identity->size);
  if (checksum_of(*identity) != identity->checksum) return Fault::damaged("control: checksum of the identity");
  Identity expected = *identity;
  place_parts(&expected);
  if (std::memcmp(&expected, identity, sizeof expected) != 0) return Fault::damaged("control: places of its parts");
  if (identity->name_size > name_size_max) return Fault::damaged("control: size of the name", identity->name_size);
  if (identity->attributes_size > attributes_capacity)
    return Fault::damaged("control: attributes", identity->attributes_size);
  return {};
}

Fault make_identity(std::string_view name, const Options& options, const Word* token_id, Identity* identity) {
  *identity = {};
  identity->magic = magic;
  identity->format_version = format_version;
  if (Fault fault = os::random_bytes(identity->id, sizeof identity->id)) return fault;
  if (Fault fault = os::random_bytes(identity->secret, sizeof identity->secret)) return fault;
  std::copy_n(token_id, 2, identity->token_id);
  identity->buffer_size = options.buffer_size;
  identity->full_dump_size = options.full_dump_size;
  identity->max_bytes = options.max_bytes;
  identity->flags = options.auto_unlink ? identity_auto_unlink : 0;
  identity->mode = options.mode;
  identity->name_size = name.size();
  std::memcpy(identity->name, name.data(), name.size());
  identity->attributes_size = options.attributes.size();
  std::memcpy(identity->attributes, options.attributes.data(), options.attributes.size());
  place_parts(identity);
  identity->checksum = checksum_of(*identity);
  return {};
}

void fill_control(char* base, const Identity& identity) {
  auto& control = *reinterpret_cast<Control*>(base);
  State& state = control.state;
  state.table_number = first_table_number;
  state.slots = SlotsName::of(control_slots_a, static_cast<Word>(std::countr_zero(control_slots))).word;
  state.entries_used = 1;
  state.entries_size = control_entries;
  state.tail = Ref::at(first_position, 0).word;
  state.next_file = first_file;
  state.spare = identity.segment_size;
  for (Word number = 0; number < control_segments; ++number) {
    SegmentDescriptor& segment = control.segments[number];
    segment.first = first_position;
    segment.file = control_file;
    segment.size = identity.segment_size;
    segment.capacity = identity.segment_size;
  }
  control.identity = identity;
}

}  // namespace ultradict
