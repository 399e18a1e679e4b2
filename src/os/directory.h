// SPDX-License-Identifier: Apache-2.0
// Directory: where the dicts of one user live.
//
//   token        numbers and liveness of the participants
//   lock         guards the removal of names and the making of the token
//   d/<id>/      the files of one dict, built whole before they get this name
//   d/new-<n>-<g>-<c>/  one being built by participant n, generation g
//   n/<name>     a symbolic link whose text is the id: one atomic step publishes a dict, or finds the name taken
#pragma once

#include <string>
#include <string_view>

#include "base/fault.h"
#include "base/function_ref.h"
#include "os/text.h"

namespace ultradict::os {

class Directory {
 public:
  // Makes it if it is missing, and refuses one that somebody else could write to. Empty: the default of options.h.
  static Fault open(std::string_view wanted, Directory* directory);

  const std::string& path() const { return path_; }
  // Of a dict, or of a file of it.
  Path data_path(std::string_view id, const char* file = nullptr) const { return {path_, "d", id, file}; }

  Fault id_of(std::string_view name, std::string* id) const;  // not_found
  Fault leads_to(std::string_view name, std::string_view id, bool* leads) const;
  Fault publish(std::string_view name, std::string_view id) const;   // already_exists
  Fault withdraw(std::string_view name, std::string_view id) const;  // only while the name says this id; else not_found
  Fault make_data_directory(std::string_view id, unsigned mode) const;
  Fault check_data_directory(std::string_view id) const;  // not_found; damaged if it is a link or a file
  Fault rename_data_directory(std::string_view from, std::string_view to) const;
  // With its files; what is not there is fine. The file `last` goes last: as long as it is there, a sweep can tell what
  // the directory is.
  void remove_data_directory(std::string_view id, const char* last) const;

  // Up to `count` entries of d/, going on where the last call of this process ended; the first one begins anywhere, so
  // that many short processes see all of them, too.
  void look_at_some(int count, FunctionRef<void(const std::string& id)> look) const;

 private:
  Path name_path(std::string_view name) const { return {path_, "n", name}; }
  Fault read_name(std::string_view name, char* text, std::string_view* id) const;
  std::string path_;
};

// The path of a Directory: what is asked for, or the default.
std::string directory_path(std::string_view wanted);

// The names in a directory, without "." and "..".
// Not in a moment's order; what comes and goes meanwhile may be met or not.
Fault list_directory(const char* path, FunctionRef<void(const char* name)> look);

}  // namespace ultradict::os
