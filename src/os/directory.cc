// SPDX-License-Identifier: Apache-2.0
#include "os/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>
#include <utility>

#include "os/directory_lock.h"
#include "os/file.h"
#include "os/file_lock.h"

namespace ultradict::os {

namespace {

Fault make_directory(const std::string& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) != 0) {
    if (errno == EEXIST) return {};
    const Fault fault = system_fault("make the directory of dicts");
    if (fault.code != Code::not_found) return fault;
    return Fault{Code::os_error, fault.error, "make the directory of dicts, which needs one to lie in", 0, 0};
  }
  return ::chmod(path.c_str(), mode) == 0 ? Fault::none() : system_fault("set a directory's mode");
}

using Listing = std::unique_ptr<DIR, int (*)(DIR*)>;

// Skips a random number of entries, fewer than there are.
void skip_some(DIR* listing) {
  struct stat status {};
  std::uint32_t random = 0;
  if (::fstat(::dirfd(listing), &status) != 0 || status.st_nlink <= 2) return;  // each directory in it is a link
  if (random_bytes(&random, sizeof random)) return;
  for (std::uint64_t skipped = random % (status.st_nlink - 2); skipped > 0; --skipped) {
    if (!::readdir(listing)) return;
  }
}

// False at the end of the listing, true after `count` entries.
bool look_at(DIR* listing, int* count, FunctionRef<void(const std::string& id)> look) {
  while (*count > 0) {
    const struct dirent* found = ::readdir(listing);
    if (!found) return false;
    if (found->d_name[0] == '.') continue;
    --*count;
    look(found->d_name);
  }
  return true;
}

// Another user could have made it first, or a link to a place of his: then its contents are not ours to trust. What is
// ours in a directory like /dev/shm, where nobody may rename or remove it but we, stays ours.
Fault check_place(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    const Fault fault = system_fault("look at the directory of dicts");
    return fault.code == Code::not_found ? Fault{Code::os_error, fault.error, fault.what, 0, 0} : fault;
  }
  if (status.st_uid != ::geteuid()) {
    return Fault{Code::forbidden, 0,
                 "the place of the directory of dicts belongs to another user, choose one of your own by ULTRADICT_DIR",
                 status.st_uid, ::geteuid()};
  }
  if (!S_ISDIR(status.st_mode)) {
    return Fault::of(Code::forbidden,
                     "something else is in the place of the directory of dicts, remove it or choose another place by "
                     "ULTRADICT_DIR");
  }
  if ((status.st_mode & 0022) != 0) {
    return Fault::of(Code::forbidden, "others can write to the directory of dicts, make its mode 0700");
  }
  return {};
}

// Our own, whether it was there or not.
Fault provide_directory(const std::string& path) {
  const Fault fault = make_directory(path, 0700);
  return fault ? fault : check_place(path);
}

// Wherever the process goes later. Its last part is not resolved: it may be a link, which is not followed.
Fault make_absolute(std::string* path) {
  if (path->starts_with('/')) return {};
  const std::unique_ptr<char, decltype(&std::free)> here(::getcwd(nullptr, 0), std::free);
  if (!here) return Fault{Code::os_error, errno, "ask for the working directory", 0, 0};
  *path = std::string(here.get()) + "/" + *path;
  return {};
}

bool is_id(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace

std::string directory_path(std::string_view wanted) {
  if (!wanted.empty()) return std::string(wanted);
  const char* chosen = std::getenv("ULTRADICT_DIR");
  if (chosen && *chosen) return chosen;
  return "/dev/shm/ultradict-" + std::to_string(::geteuid());
}

Fault Directory::open(std::string_view wanted, Directory* directory) {
  std::string path = directory_path(wanted);
  while (path.size() > 1 && path.back() == '/') path.pop_back();  // with it, a link would be followed
  if (Fault fault = make_absolute(&path)) return fault;
  constexpr std::size_t longest_below = sizeof("/d/") + NAME_MAX + 1 + file_name_size;
  if (path.size() + longest_below > PATH_MAX)
    return Fault{Code::invalid_argument, 0, "length of the path of the directory", path.size(),
                 PATH_MAX - longest_below};
  for (const char* part : {"", "/d", "/n"}) {
    if (Fault fault = provide_directory(path + part)) return fault;
  }
  directory->path_ = std::move(path);
  return {};
}

Fault Directory::id_of(std::string_view name, std::string* id) const {
  char text[NAME_MAX + 1];
  std::string_view read;
  if (Fault fault = read_name(name, text, &read)) return fault;
  id->assign(read);
  return {};
}

Fault Directory::leads_to(std::string_view name, std::string_view id, bool* leads) const {
  char text[NAME_MAX + 1];
  std::string_view read;
  const Fault fault = read_name(name, text, &read);
  *leads = !fault && read == id;
  return fault.code == Code::not_found ? Fault::none() : fault;
}

Fault Directory::read_name(std::string_view name, char* text, std::string_view* id) const {
  const ssize_t size = ::readlink(name_path(name), text, NAME_MAX + 1);
  if (size < 0 && errno == EINVAL) return Fault::damaged("something that is no link stands in a name's place");
  if (size < 0) return system_fault("read a name");
  *id = {text, static_cast<std::size_t>(size)};
  return is_id(*id) ? Fault::none() : Fault::damaged("a name does not lead to a dict");
}

Fault Directory::publish(std::string_view name, std::string_view id) const {
  const bool done = ::symlink(std::string(id).c_str(), name_path(name)) == 0;
  return done ? Fault::none() : system_fault("publish a name");
}

Fault Directory::withdraw(std::string_view name, std::string_view id) const {
  UnforkedFile lock;
  if (Fault waiting = lock_directory(path_, &lock)) return waiting;
  bool leads = false;
  if (Fault reading = leads_to(name, id, &leads)) return reading;
  if (!leads) return Fault::of(Code::not_found);
  remove_file(name_path(name));
  return {};
}

Fault Directory::make_data_directory(std::string_view id, unsigned mode) const {
  const Path path = data_path(id);
  if (::mkdir(path, mode) != 0) return system_fault("make a dict's directory");
  return ::chmod(path, mode) == 0 ? Fault::none() : system_fault("set a directory's mode");
}

Fault Directory::check_data_directory(std::string_view id) const {
  struct stat status {};
  if (::lstat(data_path(id), &status) != 0) return system_fault("look at a dict's directory");
  return S_ISDIR(status.st_mode) ? Fault::none() : Fault::damaged("something else stands in a dict's place");
}

Fault Directory::rename_data_directory(std::string_view from, std::string_view to) const {
  return rename_file(data_path(from), data_path(to));
}

void Directory::remove_data_directory(std::string_view id, const char* last) const {
  if (check_data_directory(id)) return remove_file(data_path(id));  // a link, and not what it leads to
  (void)list_directory(data_path(id), [&](const char* name) {
    if (std::string_view(name) != last) remove_file(data_path(id, name));
  });
  remove_file(data_path(id, last));
  ::rmdir(data_path(id));
}

namespace {

// One thread of a process at a time; who finds another one at it lets it be. One that was at it when the process forked
// does not exist in the child.
class Turn {
 public:
  Turn() {
    pid_t other = 0;
    has_it_ = process_.compare_exchange_strong(other, ::getpid()) ||
              (other != ::getpid() && process_.compare_exchange_strong(other, ::getpid()));
  }
  ~Turn() {
    if (has_it_) process_.store(0);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  explicit operator bool() const { return has_it_; }

 private:
  static inline std::atomic<pid_t> process_ = 0;
  bool has_it_ = false;
};

}  // namespace

void Directory::look_at_some(int count, FunctionRef<void(const std::string& id)> look) const {
  // Where in d/ this process's last look ended: over time every dict gets its turn. The children of one parent must not
  // all go on from where it was. (A file system that does not keep positions for another stream loses the turns alone.)
  static long place = 0;
  static pid_t looked = 0;
  const Turn turn;
  if (!turn) return;
  const Listing listing(::opendir(Path(path_, "d")), ::closedir);
  if (!listing) return;
  if (std::exchange(looked, ::getpid()) == ::getpid()) {
    ::seekdir(listing.get(), place);
  } else {
    skip_some(listing.get());
  }
  if (!look_at(listing.get(), &count, look)) {
    ::rewinddir(listing.get());
    look_at(listing.get(), &count, look);
  }
  place = ::telldir(listing.get());
}

Fault list_directory(const char* path, FunctionRef<void(const char* name)> look) {
  const Listing listing(::opendir(path), ::closedir);
  if (!listing) return system_fault("list a directory");
  while (const struct dirent* found = ::readdir(listing.get())) {
    const std::string_view name = found->d_name;
    if (name != "." && name != "..") look(found->d_name);
  }
  return {};
}

}  // namespace ultradict::os
