// SPDX-License-Identifier: Apache-2.0
#include "os/directory.h"

#include <cerrno>

#include "memory/files.h"

namespace ultradict::os {

namespace {

memory::Files& files() { return memory::Files::instance(); }
Fault outcome(bool done, const char* what) { return done ? Fault::none() : system_fault(what); }

}  // namespace

std::string directory_path(std::string_view wanted) { return std::string(wanted); }

Fault Directory::open(std::string_view wanted, Directory* directory) {
  directory->path_ = wanted;
  for (const char* part : {"", "/d", "/n"}) (void)files().make_directory(directory->path_ + part);
  return {};
}

Fault Directory::id_of(std::string_view name, std::string* id) const {
  const std::string* const text = files().link(static_cast<const char*>(name_path(name)));
  if (!text) return Fault::of(Code::not_found);
  *id = *text;
  return {};
}

Fault Directory::leads_to(std::string_view name, std::string_view id, bool* leads) const {
  std::string text;
  *leads = !id_of(name, &text) && text == id;
  return {};
}

Fault Directory::publish(std::string_view name, std::string_view id) const {
  return outcome(files().make_link(static_cast<const char*>(name_path(name)), std::string(id)), "publish a name");
}

Fault Directory::withdraw(std::string_view name, std::string_view id) const {
  bool leads = false;
  if (Fault fault = leads_to(name, id, &leads)) return fault;
  if (!leads) return Fault::of(Code::not_found);
  remove_file(name_path(name));
  return {};
}

Fault Directory::make_data_directory(std::string_view id, unsigned) const {
  return outcome(files().make_directory(static_cast<const char*>(data_path(id))), "make a dict's directory");
}

Fault Directory::check_data_directory(std::string_view id) const {
  const std::string path = static_cast<const char*>(data_path(id));
  if (files().is_directory(path)) return {};
  if (files().find(path)) return Fault::damaged("something else stands in a dict's place");
  return Fault::of(Code::not_found);
}

Fault Directory::rename_data_directory(std::string_view from, std::string_view to) const {
  return rename_file(data_path(from), data_path(to));
}

void Directory::remove_data_directory(std::string_view id, const char*) const {
  const Path path = data_path(id);
  (void)list_directory(path, [&](const char* name) { remove_file(data_path(id, name)); });
  (void)files().remove_directory(static_cast<const char*>(path));
}

void Directory::look_at_some(int count, FunctionRef<void(const std::string& id)> look) const {
  for (const std::string& id : files().list(path_ + "/d")) {
    if (count-- > 0) look(id);
  }
}

Fault list_directory(const char* path, FunctionRef<void(const char* name)> look) {
  if (!files().is_directory(path)) {
    errno = ENOENT;
    return system_fault("list a directory");
  }
  for (const std::string& name : files().list(path)) look(name.c_str());
  return {};
}

}  // namespace ultradict::os
