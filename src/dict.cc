// SPDX-License-Identifier: Apache-2.0
// Implements include/ultradict/dict.h: a handle finds its Store, asks the function of src/store that does the work,
// under the lock where that is wanted, and tells its Fault as a Status with the name of the dict.
#include "dict_handle.h"

#include <algorithm>
#include <cstring>

#include "store/changes.h"
#include "store/child_name.h"
#include "store/cleaning.h"
#include "store/clear.h"
#include "store/dict_header.h"
#include "store/inspect.h"
#include "store/life.h"
#include "store/nested.h"
#include "store/put.h"
#include "store/reader.h"
#include "store/report.h"
#include "store/sighting.h"
#include "store/store.h"
#include "store/writer.h"

namespace ultradict {

namespace {

const std::string nothing;

}  // namespace

Dict::Dict() noexcept = default;
Dict::Dict(Dict&&) noexcept = default;
Dict& Dict::operator=(Dict&& other) noexcept {
  if (this != &other) {
    (void)close();
    store_ = std::move(other.store_);
    child_ = other.child_;
    handle_ = std::move(other.handle_);
  }
  return *this;
}
Dict::~Dict() { (void)close(); }

namespace {

// The root of a nested dict: that very one, and never a new one.
Status open_root(const ChildName& name, Options options, Dict* root) {
  options.create = Create::never;
  options.id = name.root_id;
  return Dict::open(name.root, options, root);
}

}  // namespace

Status Dict::open(std::string_view name, const Options& given, Dict* dict) {
  const Options options = given;  // they may be those of `dict`
  (void)dict->close();
  if (ChildName child; ChildName::parse(name, &child)) {
    Dict root;
    if (Status status = open_root(child, options, &root); !status) return status;
    Dict opened;
    if (Status status = root.open_child(child.child, &opened); !status) return status;
    if (options.create == Create::always) return report(Fault::of(Code::already_exists), name);
    *dict = std::move(opened);
    return {};
  }
  auto handle = std::make_unique<Handle>();  // what may throw comes before what is then open
  handle->name = name;
  bool created = false;
  std::shared_ptr<Store> store;
  if (Fault fault = open_dict(name, options, &store, &created)) {
    return report_with_place(fault, name, options.directory);
  }
  if (options.keeps_sightings) store->regions.keep_old_tables();
  handle->creator = created ? store->token->word() : 0;
  dict->store_ = std::move(store);
  dict->handle_ = std::move(handle);
  return {};
}

Status Dict::unlink(std::string_view name, std::string_view directory, std::string_view id) {
  return report_with_place(unlink_dict(name, directory, id), name, directory);
}

Status Dict::close() {
  const bool is_root = store_ && child_.number == 0;
  if (is_root && drop_handle(*store_)) end_as_creator(*store_);
  store_.reset();
  child_ = {};
  return {};
}

void Dict::leave_all() noexcept try {
  leave_all_dicts();
} catch (const std::bad_alloc&) {  // what is left is swept by others
}

Status Dict::unlink() {
  if (!store_) return report(closed(), name());
  if (child_.number != 0) {
    return report(Fault::of(Code::invalid_argument, "a nested dict goes with the keys that refer to it: delete those"),
                  name());
  }
  const Fault fault = store_->directory.withdraw(store_->name, store_->id);
  return report(fault.code == Code::not_found ? Fault::none() : fault, name());
}

bool Dict::is_open() const noexcept { return store_ != nullptr; }
bool Dict::is_creator() const noexcept {
  return store_ && handle_->creator != 0 && handle_->creator == store_->token->word();
}
const std::string& Dict::name() const noexcept { return handle_ ? handle_->name : nothing; }
const std::string& Dict::id() const noexcept { return store_ ? store_->id : nothing; }
const std::string& Dict::attributes() const noexcept { return store_ ? store_->attributes : nothing; }
const Options& Dict::options() const noexcept {
  static const Options none;
  return store_ ? store_->options : none;
}

namespace {

// A value that lies beside its record, or that is none.
Status get_elsewhere(Store& store, const Found& found, std::string* value, const std::string& name) {
  if (found.view.is_child()) return report(Fault::of(Code::is_dict), name);
  Sighting seen;
  note(store, found, &seen);
  const Word size = found.view.blob().size;
  if (Fault fault = check_blob_size(store, seen, size)) return report(fault, name);
  value->resize(size);
  return report(read_blob(store, seen, size, value->data()), name);
}

// Apart from get(), which saves no registers for it.
[[gnu::noinline]] Status get_carefully(Store& store, ChildId child, Bytes key, Word hash, std::string* value,
                                       const std::string& name) {
  static thread_local Buffer buffer;
  return look_until_opened(store, name, [&]() -> Status {
    Found found;
    if (const Fault fault = find_carefully(store, child, key, hash, &buffer, &found)) return report(fault, name);
    if (found.view.kind() != RecordKind::value) return get_elsewhere(store, found, value, name);
    copy_to(found.view.value(), value);
    return {};
  });
}

}  // namespace

Status Dict::get(Bytes key, std::string* value) const {
  if (!store_) return report(closed(), name());
  const Word hash = store_->hash(child_.number, key);
  if (get_at_a_glance(*store_, child_, key, hash, value)) [[likely]]
    return {};
  return get_carefully(*store_, child_, key, hash, value, name());
}

Status Dict::contains(Bytes key) const {
  return report(store_ ? ultradict::contains(*store_, child_, key) : closed(), name());
}

Status Dict::put(Bytes key, Bytes value) { return put(Key{key, {}, false}, value, nullptr); }

Status Dict::put(const Key& key, Bytes value, Sighting* written) {
  return report(store_ ? put_key(*store_, child_, key, value, written) : closed(), name());
}

Status Dict::try_put(const Key& key, Bytes value, Sighting* written) {
  return report(store_ ? try_put_key(*store_, child_, key, value, written) : closed(), name());
}

Status Dict::put_at(Sighting* seen, Bytes value) {
  return report(store_ ? put_seen(*store_, seen, value) : closed(), name());
}

Status Dict::try_put_at(Sighting* seen, Bytes value) {
  return report(store_ ? try_put_seen(*store_, seen, value) : closed(), name());
}

Status Dict::erase(Bytes key) {
  return report(
      locked(store_.get(), [&](Store& store, LockHeld held) { return ultradict::erase(store, held, child_, key); }),
      name());
}

Status Dict::erase_at(const Sighting& seen) {
  return report(
      locked(store_.get(), [&](Store& store, LockHeld held) { return ultradict::erase_at(store, held, seen); }),
      name());
}

// Whatever damage makes of it, no more than there can be entries.
std::uint64_t Dict::count() const noexcept {
  if (!store_) return 0;
  const Word keys = child_.number == 0 ? shared::load(store_->state().count) : counts_of_nested(*store_, child_).keys;
  return std::min(keys, Regions::extent_end(extents_max - 1));
}

std::uint64_t Dict::exotic_count() const noexcept {
  if (!store_) return 0;
  return child_.number == 0 ? shared::load(store_->state().exotic_count) : counts_of_nested(*store_, child_).exotic;
}

std::uint64_t Dict::written() const noexcept { return store_ ? Ref{shared::load(store_->state().tail)}.position() : 0; }

Status Dict::put_all(std::span<const Item> items) {
  return report(store_ ? put_items(*store_, child_, items) : closed(), name());
}

Status Dict::clear() {
  return report(locked(store_.get(),
                       [&](Store& store, LockHeld held) {
                         return child_.number == 0 ? ultradict::clear(store, held) : empty_nested(store, held, child_);
                       }),
                name());
}

Status Dict::find(Bytes key, Sighting* seen, Buffer* buffer, Record* record) const {
  return report(store_ ? ultradict::find(*store_, child_, key, seen, buffer, record) : closed(), name());
}

Status Dict::reread(Sighting* seen, Buffer* buffer, Record* record, bool* moved) const {
  return report(store_ ? ultradict::reread(*store_, seen, buffer, record, moved) : closed(), name());
}

Status Dict::read_blob(const Sighting& seen, std::uint64_t size, char* destination) const {
  return report(store_ ? ultradict::read_blob(*store_, seen, size, destination) : closed(), name());
}

const std::atomic<std::uint64_t>& Dict::table_word() const noexcept {
  static constinit const std::atomic<std::uint64_t> none{0};
  return store_ ? as_atomic(store_->state().table_number) : none;
}

void Dict::release_old_tables() noexcept {
  if (store_) store_->regions.release_old_tables();
}

bool Dict::changed_since(const Progress& progress) const noexcept {
  return !store_ || ultradict::changed_since(*store_, progress);
}

Status Dict::changes(Progress* progress, std::vector<Sighting>* changed) const {
  return report(store_ ? ultradict::changes(*store_, child_, progress, changed) : closed(), name());
}

Status Dict::lock(const Wait& wait) { return report(store_ ? store_->enter(wait) : closed(), name()); }

bool Dict::try_lock() noexcept { return store_ && store_->try_enter(); }

Status Dict::unlock() { return report(store_ ? store_->leave() : closed(), name()); }

bool Dict::has_lock() const noexcept { return store_ && store_->lock.is_held(); }

Owner Dict::owner() const noexcept { return store_ ? store_->lock.owner() : Owner{}; }

bool Dict::has_recovery() const noexcept { return store_ && store_->recovered_by.load(std::memory_order_relaxed) != 0; }

bool Dict::take_recovery(std::int32_t* pid) noexcept { return store_ && store_->take_recovery(pid); }

Status Dict::clean() {
  return report(locked(store_.get(), [](Store& store, LockHeld held) { return clean_all(store, held); }), name());
}

Status Dict::dump() {
  return report(locked(store_.get(), [](Store& store, LockHeld held) { return dump_all(store, held); }), name());
}

Stats Dict::stats() const { return store_ ? stats_of(*store_) : Stats{}; }

Findings Dict::check() const {
  Findings findings;
  std::size_t more = 0;
  const Fault fault = locked(store_.get(), [&](Store& store, LockHeld held) {
    check_all(store, held, true, [&](const Fault& broken) {
      if (findings.broken.size() == findings_max) {
        ++more;
      } else {
        findings.broken.push_back(report(broken, name()).message());
      }
    });
    return Fault::none();
  });
  if (more != 0) findings.broken.push_back("dict '" + name() + "': " + std::to_string(more) + " findings more");
  if (fault) findings.broken.push_back(report(fault, name()).message());
  return findings;
}

}  // namespace ultradict
