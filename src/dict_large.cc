// SPDX-License-Identifier: Apache-2.0
// Implements include/ultradict/large_value.h and what dict.h offers for it: who owns what is staged or mapped, and for
// which dict.
#include "base/hash.h"
#include "dict_handle.h"
#include "store/put.h"
#include "store/reader.h"

namespace ultradict {

namespace {

Fault not_staged_here() {
  return Fault::of(Code::invalid_argument, "nothing is staged, or it is of another dict: stage() with this one");
}

Fault too_small_to_map(std::uint64_t size) {
  return Fault{Code::invalid_argument, 0, "a value of so few bytes cannot be mapped, get() it", size,
               blob_size_min + 1};
}

}  // namespace

StagedValue::StagedValue() noexcept = default;
StagedValue::StagedValue(StagedValue&&) noexcept = default;
StagedValue& StagedValue::operator=(StagedValue&& other) noexcept {
  value_ = std::move(other.value_);  // before the store, which it uses
  store_ = std::move(other.store_);
  return *this;
}
StagedValue::~StagedValue() { value_.reset(); }

std::uint64_t StagedValue::size() const noexcept { return value_ ? value_->size() : 0; }

MappedValue& MappedValue::operator=(MappedValue&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  std::swap(checksum_, other.checksum_);
  return *this;
}

MappedValue::~MappedValue() {
  if (base_) unmap_blob(base_, size_);
}

bool MappedValue::is_intact() const noexcept { return checksum64(base_, size_) == checksum_; }

Status Dict::stage(std::span<const Bytes> parts, StagedValue* staged) const {
  *staged = StagedValue();
  if (!store_) return report(closed(), name());
  const Fault fault = stage_value(*store_, parts, &staged->value_);
  if (!fault) staged->store_ = store_;
  return report(fault, name());
}

Status Dict::put(const Key& key, StagedValue* staged, Sighting* written) {
  if (!store_) return report(closed(), name());
  if (staged->store_ != store_) return report(not_staged_here(), name());
  const Fault fault = put_staged_key(*store_, child_, key, *staged->value_, written);
  if (!fault) *staged = StagedValue();
  return report(fault, name());
}

Status Dict::put_at(Sighting* seen, StagedValue* staged) {
  if (!store_) return report(closed(), name());
  if (staged->store_ != store_) return report(not_staged_here(), name());
  const Fault fault = put_staged_seen(*store_, seen, *staged->value_);
  if (!fault) *staged = StagedValue();
  return report(fault, name());
}

Status Dict::map(Bytes key, MappedValue* mapped) const {
  static thread_local Buffer buffer;
  *mapped = MappedValue();
  if (!store_) return report(closed(), name());
  return look_until_opened(*store_, name(), [&]() -> Status {
    Sighting seen;
    Record record;
    if (Status status = find(key, &seen, &buffer, &record); !status) return status;
    if (record.child.number != 0) return report(Fault::of(Code::is_dict), name());
    if (!record.is_blob) return report(too_small_to_map(record.value_size), name());
    return map_blob(seen, record.value_size, mapped);
  });
}

Status Dict::map_blob(const Sighting& seen, std::uint64_t size, MappedValue* mapped) const {
  *mapped = MappedValue();
  if (!store_) return report(closed(), name());
  const Fault fault = ultradict::map_blob(*store_, seen, size, &mapped->base_, &mapped->checksum_);
  if (!fault) mapped->size_ = size;
  return report(fault, name());
}

}  // namespace ultradict
