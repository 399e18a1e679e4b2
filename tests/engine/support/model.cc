// SPDX-License-Identifier: Apache-2.0
#include "support/model.h"

#include <gtest/gtest.h>

namespace ultradict::test {

namespace {

std::string random_key(Random& random, const Mix& mix) { return mix.prefix + std::to_string(random.below(mix.keys)); }

std::string random_value(Random& random, const Mix& mix) {
  const bool is_blob = mix.blob_every != 0 && random.below(mix.blob_every) == 0;
  const std::size_t size = is_blob ? blob_size_min + random.below(9000) : random.below(mix.value_size_max);
  return std::string(size, static_cast<char>('a' + random.below(26)));
}

bool done(const Status& status) {
  EXPECT_TRUE(status) << status.message();
  return static_cast<bool>(status);
}

// The quick way or the long one; what the quick one does not do the long one does.
Status put_either_way(Random& random, Dict& dict, const std::string& key, const std::string& value) {
  Sighting seen;
  if (value.size() > blob_size_min || random.below(2) == 0) return dict.put(key, value);
  Status status = dict.try_put(Key{key}, value, &seen);
  return status.code() == Code::lock_busy ? dict.put(key, value) : std::move(status);
}

bool put_one(Random& random, const Mix& mix, Dict& dict, Model& model) {
  const std::string key = random_key(random, mix);
  const std::string value = random_value(random, mix);
  if (!done(put_either_way(random, dict, key, value))) return false;
  model.put(key, value);
  return true;
}

bool put_many(Random& random, const Mix& mix, Dict& dict, Model& model) {
  Content content;
  for (std::uint64_t i = random.below(12); i > 0; --i) {
    content.emplace_back(random_key(random, mix), random_value(random, mix));
  }
  std::vector<Item> items;
  for (const auto& [key, value] : content) items.push_back({Key{key}, value});
  if (!done(dict.put_all(items))) return false;
  for (const auto& [key, value] : content) model.put(key, value);
  return true;
}

bool erase_one(Random& random, const Mix& mix, Dict& dict, Model& model) {
  const std::string key = random_key(random, mix);
  const Status status = dict.erase(key);
  const Code expected = model.erase(key) ? Code::ok : Code::not_found;
  EXPECT_EQ(status.code(), expected) << key << " " << status.message();
  return status.code() == expected;
}

bool look_at_one(Random& random, const Mix& mix, const Dict& dict, const Model& model) {
  const std::string key = random_key(random, mix);
  const std::string* expected = model.find(key);
  std::string value;
  const Status status = dict.get(key, &value);
  const bool right = expected ? status && value == *expected : status.code() == Code::not_found;
  EXPECT_EQ(dict.contains(key).code(), expected ? Code::ok : Code::not_found) << key;
  EXPECT_TRUE(right) << key << ": code " << static_cast<int>(status.code()) << " " << status.message();
  return right;
}

}  // namespace

bool random_operation(Random& random, const Mix& mix, Dict& dict, Model& model) {
  if (mix.clear_every != 0 && random.below(mix.clear_every) == 0) {
    model.clear();
    return done(dict.clear());
  }
  if (random.below(mix.batch_every) == 0) return put_many(random, mix, dict, model);
  switch (random.below(8)) {
    case 0:
    case 1:
      return erase_one(random, mix, dict, model);
    case 2:
      return look_at_one(random, mix, dict, model);
    default:
      return put_one(random, mix, dict, model);
  }
}

}  // namespace ultradict::test
