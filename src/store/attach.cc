// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "store/identity.h"
#include "store/inspect.h"
#include "store/life.h"

namespace ultradict {

namespace {

Fault of_another_name() { return Fault::damaged("the name leads to a dict that was created with another one"); }
Fault gone() { return Fault::of(Code::changed); }

// Takes its place among the attached, or finds that the dict is of a dead run and removes it.
//
// Byte 0 is first tried exclusively: two processes that ask at the same moment for what a dead creator left must not
// take each other for somebody who is attached.
Fault take_place(const os::Directory& directory, os::UnforkedFile& control, const Identity& identity,
                 const std::string& id) {
  Fault fault = os::try_lock_byte(control, attached_byte, os::LockKind::exclusive);
  if (!fault) {
    bool abandoned = false;
    if (Fault asking = is_abandoned(directory, control, identity, id, &abandoned)) return asking;
    if (abandoned) return remove_dict(directory, identity, id), gone();
  } else if (fault.code != Code::lock_busy) {
    return fault;
  }
  fault = os::try_lock_byte(control, attached_byte, os::LockKind::shared);
  if (fault) return fault.code == Code::lock_busy ? gone() : fault;
  // It may have been removed before we had our place.
  bool leads = false;
  fault = directory.leads_to(name_of(identity), id, &leads);
  if (fault) return fault;
  return leads ? Fault::none() : gone();
}

// A name that leads nowhere: its files were removed. It goes too, unless it leads elsewhere by now.
Fault drop_dangling_name(const os::Directory& directory, const std::string& name, const std::string& id) {
  const Fault fault = directory.withdraw(name, id);
  return fault && fault.code != Code::not_found ? fault : gone();
}

// Whether its live records take more than that: no more than its files can hold of them, whatever control says.
bool is_large(const Store& store) {
  const Control& control = store.control();
  const Identity& identity = control.identity;
  if (shared::load_relaxed(control.state.live_size) <= checked_whole_max) return false;
  Word live = 0;
  for (Word number = 0; number < segments_max && live <= checked_whole_max; ++number) {
    const SegmentDescriptor& segment = control.segments[number];
    const bool is_file = number >= control_segments;
    const Word file = shared::load_relaxed(segment.file);
    if (is_file && file == 0) continue;
    Word there = identity.segment_size;
    if (is_file && os::file_size(store.directory.data_path(store.id, DictFiles::segment(file)), &there)) continue;
    live += std::min(shared::load_relaxed(segment.live), there);
  }
  return live > checked_whole_max;
}

// A dict with little in it is checked whole, unless somebody is writing to it.
Fault check_small(Store& store) {
  if (is_large(store)) return {};
  const Fault fault = under_lock(
      store, [&](LockHeld held) { return first_damage(store, held); }, Wait{0});
  return fault.code == Code::lock_busy ? Fault::none() : fault;
}

}  // namespace

Fault attach_dict(const os::Directory& directory, const std::string& name, const std::string& id,
                  std::shared_ptr<Store>* store) {
  *store = find_open(id);
  if (*store) return (*store)->name == name ? Fault::none() : of_another_name();
  os::UnforkedFile control;
  const Fault opening = open_control(directory, id, &control);
  if (opening.code == Code::not_found) return drop_dangling_name(directory, name, id);
  if (opening) return opening;
  Identity identity{};
  if (Fault fault = read_identity(control, &identity)) return fault;
  if (id != std::string_view(id_of(identity))) return Fault::damaged("control: it is the file of another dict");
  if (name_of(identity) != name) return of_another_name();
  auto opened = std::make_shared<Store>();
  if (Fault fault = os::LivenessToken::of_directory(directory.path(), &opened->token)) return fault;
  if (!std::equal(identity.token_id, identity.token_id + 2, opened->token->id())) {
    return Fault::damaged("control: made with another token file than the directory has now");
  }
  if (Fault fault = take_place(directory, control, identity, id)) {
    control.close();
    // Who left meanwhile may have taken us for somebody who is attached, and left the files to us.
    if (fault.code == Code::changed) remove_if_abandoned(directory, id);
    return fault;
  }
  Opening described = describe(identity, directory, opened.get());
  char* base = nullptr;
  if (Fault fault = os::map(control, identity.size, &base)) return fault;
  take_over(std::move(described), identity, control, base, opened.get());
  if (Fault fault = check_small(*opened)) return fault;
  *store = note_open(std::move(opened));
  return {};
}

}  // namespace ultradict
