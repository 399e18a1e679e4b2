// SPDX-License-Identifier: Apache-2.0
#include "support/operations.h"

#include <gtest/gtest.h>

#include <ostream>

#include "support/mappings.h"

namespace ultradict::test {

namespace {

std::string large(char letter) { return std::string(40'000, letter); }

Status put_many(Dict& dict) {
  Content content;
  for (int i = 5; i < 50; ++i) content.emplace_back("k" + std::to_string(i), std::string(300, 'n'));
  content.emplace_back("blob", large('n'));
  content.emplace_back("new blob", large('m'));
  std::vector<Item> items;
  for (const auto& [key, value] : content) items.push_back({Key{key}, value});
  return dict.put_all(items);
}

// Overwrites until log and cleaning have come round; one put at a time is seen to be done or not.
Status grow(Dict& dict) {
  const std::string value(3000, 'g');
  for (int i = 0; i < 60; ++i) {
    if (Status status = dict.put("k1", value); !status) return status;
  }
  return {};
}

// As an operation that may be repeated: a key that is gone is gone.
Status erase(Dict& dict, const char* key) {
  Status status = dict.erase(key);
  return status.code() == Code::not_found ? Status() : std::move(status);
}

Status in_nested(Dict& dict, const std::function<Status(Dict&)>& run) {
  Dict child;
  if (Status status = dict.open_child("nested", &child); !status) return status;
  return run(child);
}

Status put_nested(Dict& dict) {
  ChildBuilder builder(dict);
  if (!builder.status()) return Status(builder.status().code(), builder.status().message());
  Dict child;
  if (Status status = builder.make(&child); !status) return status;
  if (Status status = child.put("small", "s"); !status) return status;
  if (Status status = child.put("large", large('l')); !status) return status;
  return dict.put_child(Key{"new nested"}, child);
}

Status stage_and_put(Dict& dict) {
  const std::string value = large('s');
  const Bytes parts[] = {value, value};
  StagedValue staged;
  if (Status status = dict.stage(parts, &staged); !status) return status;
  return dict.put(Key{"blob"}, &staged, nullptr);
}

Status view(Dict& dict) {
  MappedValue mapped;
  Status status = dict.map("blob", &mapped);
  EXPECT_TRUE(!status || (mapped.is_intact() && mapped.bytes() == large('b')));
  return status;
}

Status read_all(Dict& dict) {
  std::string value;
  Status status = dict.get("blob", &value);
  EXPECT_TRUE(!status || value == large('b'));
  Progress progress;
  std::vector<Sighting> changed;
  if (status) status = dict.changes(&progress, &changed);
  return status.code() == Code::changed ? Status() : std::move(status);
}

}  // namespace

void PrintTo(const NamedOperation& operation, std::ostream* stream) { *stream << operation.name; }

const std::vector<NamedOperation>& operations() {
  static const std::vector<NamedOperation> all{
      {"put", [](Dict& dict) { return dict.put("new", "value"); }},
      {"overwrite", [](Dict& dict) { return dict.put("k3", "value"); }},
      {"put_large", [](Dict& dict) { return dict.put("new", large('n')); }},
      {"overwrite_large", [](Dict& dict) { return dict.put("blob", large('n')); }},
      {"stage", stage_and_put},
      {"put_all", put_many},
      {"grow", grow},
      {"clean", [](Dict& dict) { return dict.clean(); }},
      {"dump", [](Dict& dict) { return dict.dump(); }},
      {"clear", [](Dict& dict) { return dict.clear(); }},
      {"erase", [](Dict& dict) { return erase(dict, "k2"); }},
      {"erase_large", [](Dict& dict) { return erase(dict, "blob"); }},
      {"erase_nested", [](Dict& dict) { return erase(dict, "nested"); }},
      {"put_nested", put_nested},
      {"put_in_nested", [](Dict& dict) { return in_nested(dict, [](Dict& in) { return in.put("k", large('i')); }); }},
      {"clear_nested", [](Dict& dict) { return in_nested(dict, [](Dict& in) { return in.clear(); }); }},
      {"view", view},
      {"read", read_all},
  };
  return all;
}

Dict prepared_for_operations(const Scratch& scratch, std::uint64_t max_bytes) {
  Options options = scratch.options(Create::always);
  options.max_bytes = max_bytes;
  Dict dict = scratch.open("dict", options);
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(dict.put("k" + std::to_string(i), std::string(200, 'v')));
  EXPECT_TRUE(dict.put("blob", large('b')));
  Dict child;
  EXPECT_TRUE(dict.put_new_child("nested", &child));
  EXPECT_TRUE(child.put("in", "side"));
  EXPECT_TRUE(child.put("blob", large('c')));
  return dict;
}

DisturbedOperation::DisturbedOperation(const NamedOperation& operation, std::uint64_t max_bytes)
    : operation_(operation), max_bytes_(max_bytes) {
  Dict dict = prepared_for_operations(scratch_, max_bytes_);
  before_ = content_of(dict);
  EXPECT_TRUE(operation_.run(dict));
  after_ = content_of(dict);
  EXPECT_TRUE(dict.unlink());
}

void DisturbedOperation::run(const std::function<Status(const std::function<Status()>&)>& disturbed,
                             bool blobs_may_stay) {
  const std::size_t descriptors = open_descriptors();
  {
    Dict dict = prepared_for_operations(scratch_, max_bytes_);
    const Status status = disturbed([&] { return operation_.run(dict); });
    expect_done_or_not(dict, status, blobs_may_stay);
    EXPECT_TRUE(dict.unlink());
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

void DisturbedOperation::expect_done_or_not(Dict& dict, const Status& status, bool blobs_may_stay) const {
  EXPECT_EQ(dict.owner().number, 0U) << "the lock is held";
  const Content now = content_of(dict);
  // Of many puts to one key the first ones may be done.
  const bool is_many = operation_.name == "grow";
  EXPECT_TRUE(now == (status ? after_ : before_) || (is_many && now == after_))
      << "code " << static_cast<int>(status.code()) << " " << status.message() << "\n"
      << now.size() << " items, before " << before_.size() << ", after " << after_.size();
  expect_sound(dict);
  EXPECT_TRUE(dict.clean());
  EXPECT_TRUE(blobs_may_stay || orphans_of(dict).empty()) << orphans_of(dict);
  const Status again = operation_.run(dict);
  EXPECT_TRUE(again) << again.message();
  EXPECT_TRUE(content_of(dict) == after_);
  expect_sound(dict);
  EXPECT_TRUE(dict.clear());
  EXPECT_TRUE(dict.clean());
  EXPECT_EQ(orphans_of(dict), "");
}

}  // namespace ultradict::test
