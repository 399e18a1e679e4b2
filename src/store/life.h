// SPDX-License-Identifier: Apache-2.0
// Life: how a dict is created, found by its name, left and removed.
//
// Two bytes of the control file say who is there, by locks that the kernel drops with their process:
//   byte 0  shared by all that are attached, taken before looking. Who gets it exclusively is alone.
//   byte 1  held by the creator of a dict with auto_unlink. Free in such a dict: the creator is gone.
// A dict without a name, or of a creator that is gone, is removed by the last to leave, by the next who asks for it, or
// by the sweep of a process that opens its first dict in the directory.
#pragma once

#include <memory>
#include <string_view>

#include "store/store.h"

namespace ultradict {

inline constexpr Word attached_byte = 0;
inline constexpr Word creator_byte = 1;
// Bytes of live records: a dict with no more of them is checked on attach.
inline constexpr Word checked_whole_max = 128 * 1024;

// The control file of a dict, if both are this user's own and no links. not_found: its removal was cut short.
Fault open_control(const os::Directory& directory, const std::string& id, os::UnforkedFile* file);

// With one handle more, see drop_handle(). `created` says whether it is new.
Fault open_dict(std::string_view name, const Options& options, std::shared_ptr<Store>* store, bool* created);
// Code::changed: the name led to a dict that is gone, or is being removed: look again.
Fault attach_dict(const os::Directory& directory, const std::string& name, const std::string& id,
                  std::shared_ptr<Store>* store);
Fault create_dict(const os::Directory& directory, const std::string& name, const Options& options,
                  std::shared_ptr<Store>* store);

// What a Store will own, made while it may still throw: before there is a mapping.
struct Opening {
  DictFiles files;
  std::string id;
};
// Fills in what the Store says of its dict.
Opening describe(const Identity& identity, const os::Directory& directory, Store* store);
// From here on the Store owns the mapping of control, and what byte 0 of it, locked by `control`, stands for.
void take_over(Opening opening, const Identity& identity, os::UnforkedFile& control, char* base, Store* store) noexcept;

// A handle less; whether that was the last one of this process.
bool drop_handle(Store& store);
// The creator's end, if this process is the creator: the name goes now, the files when the last has left.
void end_as_creator(Store& store);
// Of ~Store.
void leave_dict(Store& store);
// At the end of the process, of all that it has open. The mappings stay, without their locks.
void leave_all_dicts();

// Of the dict of this id alone; empty: whichever has the name.
Fault unlink_dict(std::string_view name, std::string_view directory, std::string_view id);
// Looks at a few dicts of the directory and removes what nobody can want any more.
void sweep_some(const os::Directory& directory, int count);

// Whether nobody can ever want it: nameless, or its creator is gone. Only for who holds byte 0 exclusively.
Fault is_abandoned(const os::Directory& directory, const os::File& control, const Identity& identity,
                   const std::string& id, bool* abandoned);
// The files of a dict, or of one that was being built.
inline void remove_files(const os::Directory& directory, const std::string& id) {
  directory.remove_data_directory(id, DictFiles::control());
}
// With its name: for who holds byte 0 exclusively.
void remove_dict(const os::Directory& directory, const Identity& identity, const std::string& id);
// Removes the dict if nobody is attached and nobody can want it.
void remove_if_abandoned(const os::Directory& directory, const std::string& id);

Fault check_name(std::string_view name);

// Dicts that this process has open, by id: a second handle shares the Store.
std::shared_ptr<Store> find_open(const std::string& id);
// The one that is there already, if another thread was faster.
std::shared_ptr<Store> note_open(std::shared_ptr<Store> store);

}  // namespace ultradict
