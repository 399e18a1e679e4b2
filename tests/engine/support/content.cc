// SPDX-License-Identifier: Apache-2.0
#include "support/content.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/hash.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/dict_files.h"
#include "store/regions.h"

namespace ultradict::test {

namespace {

// The value that a cursor stands on, or the one that another process has put in its place; not_found if it has deleted
// the key.
Status read_value(const Dict& dict, const Sighting& seen, const Record& record, std::string* value) {
  if (!record.is_blob) {
    value->assign(record.value);
    return {};
  }
  value->resize(record.value_size);
  Status status = dict.read_blob(seen, record.value_size, value->data());
  return status.code() == Code::changed ? dict.get(record.canonical, value) : std::move(status);
}

Dict child_of(const Dict& dict, ChildId id) {
  Dict child;
  const Status status = dict.open_child(id, &child);
  EXPECT_TRUE(status) << status.message();
  return child;
}

void note_blobs(const Dict& dict, std::set<std::string>* known) {
  Cursor cursor(dict);
  Sighting seen;
  Buffer buffer;
  Record record;
  while (cursor.next(&seen, &buffer, &record)) {
    if (record.is_blob) known->emplace(DictFiles::blob(record.sequence));
    if (record.child.number != 0) note_blobs(child_of(dict, record.child), known);
  }
}

std::set<std::string> known_files(const Dict& dict) {
  const ControlView control(dict);
  std::set<std::string> known{DictFiles::control(), "budget"};
  for (const Word slots : {control->state.slots, control->state.next_slots}) {
    if (slots != 0) known.emplace(DictFiles::slots(SlotsName{slots}.file()));
  }
  for (const SegmentDescriptor& segment : control->segments) known.emplace(DictFiles::segment(segment.file));
  for (Word extent = 1; extent < extents_max && Regions::extent_begin(extent) < control->state.entries_size; ++extent) {
    known.emplace(DictFiles::entries(control->state.table_number, extent));
  }
  note_blobs(dict, &known);
  return known;
}

std::uint64_t mark_of(Bytes text) { return checksum64(text.data(), text.size()); }

}  // namespace

Content content_of(const Dict& dict, const std::string& prefix) {
  Content content;
  Cursor cursor(dict);
  Sighting seen;
  Buffer buffer;
  Record record;
  Status status;
  while ((status = cursor.next(&seen, &buffer, &record))) {
    std::string key(record.canonical);
    if (!key.starts_with(prefix)) continue;
    if (record.child.number != 0) {
      const Content inner = content_of(child_of(dict, record.child));
      content.emplace_back(key, nested_value);
      for (const auto& [inner_key, value] : inner) content.emplace_back(key + "/" + inner_key, value);
      continue;
    }
    std::string value;
    const Status read = read_value(dict, seen, record, &value);
    if (read.code() == Code::not_found) continue;
    EXPECT_TRUE(read) << key << ": " << read.message();
    content.emplace_back(std::move(key), std::move(value));
  }
  EXPECT_EQ(status.code(), Code::not_found) << status.message();
  return content;
}

std::vector<std::string> keys_of(const Dict& dict, Cursor::Direction direction) {
  std::vector<std::string> keys;
  Cursor cursor(dict, direction);
  Sighting seen;
  Buffer buffer;
  Record record;
  while (cursor.next(&seen, &buffer, &record)) keys.emplace_back(record.canonical);
  return keys;
}

std::string value_of(const Dict& dict, const std::string& key) {
  if (const std::size_t slash = key.find('/'); slash != key.npos) {
    Dict child;
    const Status opened = dict.open_child(key.substr(0, slash), &child);
    return opened ? value_of(child, key.substr(slash + 1))
                  : "(code " + std::to_string(static_cast<int>(opened.code())) + ")";
  }
  std::string value;
  const Status status = dict.get(key, &value);
  if (status) return value;
  if (status.code() == Code::is_dict) return nested_value;
  return "(code " + std::to_string(static_cast<int>(status.code())) + " " + status.message() + ")";
}

std::string summary_of(const std::string& value) {
  if (value.size() <= 100) return value;
  return value.substr(0, 40) + "... (" + std::to_string(value.size()) + " bytes, " + std::to_string(mark_of(value)) +
         ")";
}

std::string summary_of(const Content& content) {
  std::string all;
  for (const auto& [key, value] : content) all += key + "=" + summary_of(value) + "\n";
  return all;
}

std::uint64_t hash_of(const Content& content) {
  std::string all;
  for (const auto& [key, value] : content) all += key + '\0' + value + '\0';
  return mark_of(all);
}

std::string unsoundness_of(const Dict& dict) {
  std::string all;
  for (const std::string& broken : dict.check().broken) all += broken + "\n";
  return all;
}

std::string orphans_of(const Dict& dict) {
  const std::set<std::string> known = known_files(dict);
  std::string orphans;
  (void)os::list_directory(directory_of(dict).c_str(), [&](const char* name) {
    if (!known.contains(name)) orphans += std::string(name) + " ";
  });
  return orphans;
}

void expect_sound(const Dict& dict) { EXPECT_EQ(unsoundness_of(dict), ""); }

void expect_content(const Dict& dict, const Content& expected) {
  EXPECT_EQ(summary_of(content_of(dict)), summary_of(expected));
  const auto is_of_root = [](const auto& item) { return item.first.find('/') == item.first.npos; };
  EXPECT_EQ(dict.count(), std::count_if(expected.begin(), expected.end(), is_of_root));
  for (const auto& [key, value] : expected) EXPECT_EQ(summary_of(value_of(dict, key)), summary_of(value)) << key;
  expect_sound(dict);
}

std::string directory_of(const Dict& dict) { return dict.options().directory + "/d/" + dict.id(); }

ControlView::ControlView(const Dict& dict) : control_(nullptr) {
  os::File file;
  char* base = nullptr;
  const Fault opening = os::open_file((directory_of(dict) + "/" + DictFiles::control()).c_str(), &file);
  if (opening || os::file_size(file, &size_) || os::map(file, size_, &base)) {
    ADD_FAILURE() << "cannot map the control file of " << directory_of(dict);
  }
  control_ = reinterpret_cast<Control*>(base);
}

ControlView::~ControlView() { os::unmap(reinterpret_cast<char*>(control_), size_); }

std::string marked_value(const std::string& key, std::uint64_t number, std::size_t size) {
  std::string value = std::to_string(number) + "|" + key + "|";
  Random random(number);
  while (value.size() < size) value += static_cast<char>('a' + random.below(26));
  return value + "|" + std::to_string(mark_of(value));
}

bool is_marked(const std::string& key, Bytes value, std::uint64_t* number) {
  const std::size_t end = value.rfind('|');
  if (end == value.npos) return false;
  const Bytes body = value.substr(0, end);
  if (value.substr(end + 1) != std::to_string(mark_of(body))) return false;
  const std::size_t begin = body.find('|');
  std::uint64_t found = 0;
  std::from_chars(body.data(), body.data() + begin, found);
  if (number) *number = found;
  return body.substr(begin + 1, key.size() + 1) == key + "|";
}

}  // namespace ultradict::test
