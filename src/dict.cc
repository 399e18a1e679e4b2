// SPDX-License-Identifier: Apache-2.0
// Implements include/ultradict/dict.h: forwarding only.
#include "ultradict/dict.h"

#include "store/cleaning.h"
#include "store/clear.h"
#include "store/inspect.h"
#include "store/life.h"
#include "store/put.h"
#include "store/reader.h"
#include "store/report.h"
#include "store/store.h"
#include "store/writer.h"

namespace ultradict {

// What a handle knows beyond its Store.
struct Dict::Handle {
  std::string name;
  Word creator = 0;  // token word of the process whose handle created the dict; 0: attached
};

namespace {

const std::string nothing;

Fault closed() { return Fault::of(Code::closed); }

// Runs a write under the lock.
template <typename Write>
Fault locked(Store* store, const Write& write) {
  if (!store) return closed();
  const Entered entered(*store);
  return entered.fault() ? entered.fault() : write(*store, entered.held());
}

}  // namespace

Dict::Dict() noexcept = default;
Dict::Dict(Dict&&) noexcept = default;
Dict& Dict::operator=(Dict&& other) noexcept {
  if (this != &other) {
    (void)close();
    store_ = std::move(other.store_);
    handle_ = std::move(other.handle_);
  }
  return *this;
}
Dict::~Dict() { (void)close(); }

Status Dict::open(std::string_view name, const Options& options, Dict* dict) {
  (void)dict->close();
  bool created = false;
  if (Fault fault = open_dict(name, options, &dict->store_, &created)) {
    dict->store_.reset();
    return report(fault, name);
  }
  if (options.keeps_sightings) dict->store_->regions.keep_old_tables();
  dict->handle_ = std::make_unique<Handle>();
  dict->handle_->name = name;
  dict->handle_->creator = created ? dict->store_->token->word() : 0;
  return {};
}

Status Dict::unlink(std::string_view name, std::string_view directory) {
  return report(unlink_dict(name, directory), name);
}

Status Dict::close() {
  if (store_ && is_creator()) end_as_creator(*store_);
  store_.reset();
  return {};
}

Status Dict::unlink() {
  if (!store_) return report(closed(), name());
  const Fault fault = store_->directory.withdraw(store_->name, store_->id);
  return report(fault.code == Code::not_found ? Fault::none() : fault, name());
}

bool Dict::is_open() const noexcept { return store_ != nullptr; }
bool Dict::is_creator() const noexcept {
  return store_ && handle_ && handle_->creator != 0 && handle_->creator == store_->token->word();
}
const std::string& Dict::name() const noexcept { return handle_ ? handle_->name : nothing; }
const std::string& Dict::id() const noexcept { return store_ ? store_->id : nothing; }
const std::string& Dict::attributes() const noexcept { return store_ ? store_->attributes : nothing; }
const Options& Dict::options() const noexcept {
  static const Options none;
  return store_ ? store_->options : none;
}

Status Dict::get(Bytes key, std::string* value) const {
  static thread_local Buffer buffer;
  Sighting seen;
  Record record;
  for (int tries = 0; tries < retries_max; ++tries) {
    if (Status status = find(key, &seen, &buffer, &record); !status) return status;
    if (!record.is_blob) {
      value->assign(record.value);
      return {};
    }
    value->resize(record.value_size);
    Status status = read_blob(seen, record.value_size, value->data());
    if (status.code() != Code::changed) return status;
  }
  return Status(Code::changed, "the value was overwritten each time it was read");
}

Status Dict::contains(Bytes key) const { return find(key, nullptr, nullptr, nullptr); }

Status Dict::put(Bytes key, Bytes value) { return put(Key{key, {}, false}, value, nullptr); }

Status Dict::put(const Key& key, Bytes value, Sighting* written) {
  return report(store_ ? put_key(*store_, key, value, written) : closed(), name());
}

Status Dict::put_at(Sighting* seen, Bytes value) {
  return report(store_ ? put_seen(*store_, seen, value) : closed(), name());
}

Status Dict::try_put_at(Sighting* seen, Bytes value) {
  return report(store_ ? try_put_seen(*store_, seen, value) : closed(), name());
}

Status Dict::erase(Bytes key) {
  return report(locked(store_.get(), [&](Store& store, LockHeld held) { return ultradict::erase(store, held, key); }),
                name());
}

Status Dict::erase_at(const Sighting& seen) {
  return report(
      locked(store_.get(), [&](Store& store, LockHeld held) { return ultradict::erase_at(store, held, seen); }),
      name());
}

std::uint64_t Dict::count() const noexcept { return store_ ? shared::load(store_->state().count) : 0; }
std::uint64_t Dict::exotic_count() const noexcept { return store_ ? shared::load(store_->state().exotic_count) : 0; }

Status Dict::put_all(std::span<const Item> items) {
  return report(store_ ? put_items(*store_, items) : closed(), name());
}

Status Dict::clear() {
  return report(locked(store_.get(), [](Store& store, LockHeld held) { return ultradict::clear(store, held); }),
                name());
}

Status Dict::find(Bytes key, Sighting* seen, Buffer* buffer, Record* record) const {
  return report(store_ ? ultradict::find(*store_, key, seen, buffer, record) : closed(), name());
}

Status Dict::reread(Sighting* seen, Buffer* buffer, Record* record, bool* moved) const {
  return report(store_ ? ultradict::reread(*store_, seen, buffer, record, moved) : closed(), name());
}

Status Dict::read_blob(const Sighting& seen, std::uint64_t size, char* destination) const {
  return report(store_ ? ultradict::read_blob(*store_, seen, size, destination) : closed(), name());
}

const std::atomic<std::uint64_t>& Dict::table_word() const noexcept {
  return reinterpret_cast<const std::atomic<std::uint64_t>&>(store_->state().table_number);
}

void Dict::release_old_tables() noexcept {
  if (store_) store_->regions.release_old_tables();
}

Status Dict::lock(const Wait& wait) { return report(store_ ? store_->enter(wait) : closed(), name()); }

bool Dict::try_lock() noexcept { return store_ && store_->try_enter(); }

Status Dict::unlock() { return report(store_ ? store_->leave() : closed(), name()); }

bool Dict::has_lock() const noexcept { return store_ && store_->lock.is_held(); }

Owner Dict::owner() const noexcept { return store_ ? store_->lock.owner() : Owner{}; }

Status Dict::clean() {
  return report(locked(store_.get(), [](Store& store, LockHeld held) { return clean_all(store, held); }), name());
}

Status Dict::dump() {
  return report(locked(store_.get(), [](Store& store, LockHeld held) { return dump_all(store, held); }), name());
}

Stats Dict::stats() const { return store_ ? stats_of(*store_) : Stats{}; }

Findings Dict::check() const {
  Findings findings;
  const Fault fault = locked(store_.get(), [&](Store& store, LockHeld held) {
    check_all(store, held, true,
              [&](const Fault& broken) { findings.broken.push_back(report(broken, name()).message()); });
    return Fault::none();
  });
  if (fault) findings.broken.push_back(report(fault, name()).message());
  return findings;
}

}  // namespace ultradict
