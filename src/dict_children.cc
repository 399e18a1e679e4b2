// SPDX-License-Identifier: Apache-2.0
// Implements what include/ultradict/dict.h says of nested dicts: how a handle of one is had, what may become a value of
// which dict, and the scope of a ChildBuilder.
#include "dict_handle.h"
#include "store/child_name.h"
#include "store/dict_header.h"
#include "store/nested.h"
#include "store/put.h"

namespace ultradict {

Status Dict::open_child(Bytes key, Dict* child) const {
  static thread_local Buffer buffer;
  Record record;
  if (Status status = find(key, nullptr, &buffer, &record); !status) return status;
  if (record.child.number == 0)
    return report(Fault::of(Code::no_such_dict, "the value of the key is not a nested dict: get() it"), name());
  return open_child(record.child, child);
}

Status Dict::open_child(ChildId id, Dict* child) const {
  if (!store_) return report(closed(), name());
  if (id.number == 0) return report(Fault::of(Code::no_such_dict, "number 0 is no nested dict"), name());
  const std::shared_ptr<Store> store = store_;  // `child` may be this handle
  const std::string text = ChildName{store->name, store->id, id}.text();
  {
    const ReadGuard guard(store->regions);
    if (Fault fault = check_alive(*store, id)) return report(fault, text);
  }
  auto handle = std::make_unique<Handle>();
  handle->name = text;
  (void)child->close();
  child->store_ = store;
  child->child_ = id;
  child->handle_ = std::move(handle);
  return {};
}

Status Dict::put_child(const Key& key, const Dict& child, Sighting* written) {
  if (!store_ || !child.store_) return report(closed(), name());
  if (store_ == child.store_ && child.child_.number == 0) return report(Fault::of(Code::would_cycle), name());
  if (store_ != child.store_) {
    return report(
        Fault::of(Code::invalid_argument, "what is no nested dict of this very dict cannot be its value: copy it"),
        name());
  }
  return report(ultradict::put_child(*store_, child_, key, child.child_, written), name());
}

Status Dict::put_new_child(Bytes key, Dict* child) {
  Dict made;  // `child` may be this handle
  {
    ChildBuilder builder(*this);
    if (!builder.status()) return Status(builder.status().code(), builder.status().message());
    if (Status status = builder.make(&made); !status) return status;
    if (Status status = put_child(Key{key, {}, false}, made); !status) return status;
  }
  *child = std::move(made);
  return {};
}

ChildId Dict::child_id() const noexcept { return child_; }

Status Dict::link_count(std::uint64_t* count) const {
  *count = 0;
  return report(locked(store_.get(),
                       [&](Store& store, LockHeld held) {
                         Fault fault = check_alive(store, child_);
                         DictHeader header;
                         if (!fault) fault = DictHeader::find(store, held, child_.number, &header);
                         if (!fault && !header.is_root()) *count = header.link_count();
                         return fault;
                       }),
                name());
}

Status Dict::alive() const {
  if (!store_) return report(closed(), name());
  const ReadGuard guard(store_->regions);
  return report(check_alive(*store_, child_), name());
}

std::uint64_t Dict::children_ended() const noexcept {
  if (!store_) return 0;
  const State& state = store_->state();
  const Word made = shared::load(state.dicts_made);
  const Word living = shared::load(state.dict_count);
  return made > living ? made - living : 0;
}

ChildBuilder::ChildBuilder(Dict& dict) : dict_(dict), guard_(dict) {
  if (!guard_.status()) return;
  outermost_ = !dict_.store_->builds_children;
  dict_.store_->builds_children = true;
}

ChildBuilder::~ChildBuilder() {
  if (!outermost_ || !dict_.has_lock()) return;  // a child of fork leaves what its parent builds
  Store& store = *dict_.store_;
  store.builds_children = false;
  (void)settle_nested(store, store.lock.held());  // what fails is left to the next owner
}

Status ChildBuilder::make(Dict* child) {
  if (!dict_.store_) return report(closed(), dict_.name());
  if (!guard_.status()) return Status(guard_.status().code(), guard_.status().message());
  if (!dict_.has_lock()) return report(Fault::of(Code::not_owner), dict_.name());
  ChildId id;
  const Fault fault = make_child(*dict_.store_, &id);
  return fault ? report(fault, dict_.name()) : dict_.open_child(id, child);
}

}  // namespace ultradict
