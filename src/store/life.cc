// SPDX-License-Identifier: Apache-2.0
#include "store/life.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "os/fork.h"
#include "os/futex.h"
#include "store/identity.h"

namespace ultradict {

namespace {

constexpr int looks_max = 2000;  // at a name that others create and remove meanwhile
constexpr int looks_at_full_speed = 50;
constexpr int swept_on_first_open = 64;
constexpr int creations_per_sweep = 16;
constexpr int swept_on_create = 32;

// How many dicts this process made in a directory.
struct Creations {
  unsigned forks = 0;  // OpenDicts::forks of this process
  int count = 0;
};

struct OpenDicts {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Store>> stores;
  std::vector<std::shared_ptr<Store>> forking;  // all of them, while the process forks; has room for them before
  std::map<std::string, Creations> creations;   // by directory, of all that this process and its parents used
  unsigned forks = 0;                           // that lie between this process and the first of its parents
};

OpenDicts& open_dicts();

bool created_here(const Store& store) { return store.creator != 0 && store.creator == store.token->word(); }
bool ends_with_creator(const Store& store) {
  return created_here(store) && (store.control().identity.flags & identity_auto_unlink) != 0;
}

// False: the last handle of its creator was closed, and its name goes just now.
bool add_handle(Store& store) {
  const std::lock_guard guard(open_dicts().mutex);
  if (store.ends) return false;
  ++store.handles;
  return true;
}

// A child finds every mutex in order, whatever the parent's other threads were doing.
void before_fork() {
  open_dicts().mutex.lock();
  for (const auto& [id, known] : open_dicts().stores) {
    if (std::shared_ptr<Store> store = known.lock()) open_dicts().forking.push_back(std::move(store));
  }
  for (const auto& store : open_dicts().forking) store->regions.before_fork();
}

// Without the mutex, which ~Store takes. The room for the next time stays.
void let_go(std::vector<std::shared_ptr<Store>> stores) {
  stores.clear();
  const std::lock_guard guard(open_dicts().mutex);
  if (open_dicts().forking.capacity() < stores.capacity()) open_dicts().forking.swap(stores);
}

void after_fork(void (*end)(Store&)) {
  std::vector<std::shared_ptr<Store>> forked = std::exchange(open_dicts().forking, {});
  for (const auto& store : forked) end(*store);
  open_dicts().mutex.unlock();
  let_go(std::move(forked));
}

OpenDicts& open_dicts() {
  static OpenDicts* const instance = [] {
    os::at_fork(
        before_fork, [] { after_fork([](Store& store) { store.regions.after_fork_in_parent(); }); },
        [] {
          ++open_dicts().forks;
          os::ReaderSlots::after_fork_in_child();
          DictLock::forget_thread_in_child();
          after_fork(&Store::after_fork_in_child);
        });
    return new OpenDicts;  // never destroyed: threads may outlive static objects
  }();
  return *instance;
}

// Before there are threads: a fork amid its making would leave it unmade to the child.
[[maybe_unused]] const OpenDicts& made_at_load = open_dicts();

// Takes byte 0 exclusively unless somebody is attached. A sweep that looks at the dict holds it for a moment only.
bool is_alone(os::UnforkedFile& control) {
  for (int look = 0; look < looks_max; ++look) {
    if (!os::try_lock_byte(control, attached_byte, os::LockKind::exclusive)) return true;
    bool is_looked_at = false;
    if (os::is_locked(control, attached_byte, os::LockKind::shared, &is_looked_at) || !is_looked_at) return false;
    if (look >= looks_at_full_speed) os::pause_ns(1'000'000);
  }
  return false;
}

// A dict that was being built by one who died.
void remove_if_dead(const os::Directory& directory, const os::LivenessToken& token, const std::string& id) {
  unsigned long long number = 0;
  unsigned long long generation = 0;
  if (std::sscanf(id.c_str(), "new-%llu-%llu-", &number, &generation) != 2) return;
  bool dead = false;
  if (!token.is_dead(LockWord::owned(number, generation), &dead) && dead) remove_files(directory, id);
}

// A process looks at many when it opens its first dict in a directory, and at some after so many that it added.
int swept_count(const os::Directory& directory, bool created) {
  const std::lock_guard guard(open_dicts().mutex);
  const auto [place, is_first] = open_dicts().creations.try_emplace(directory.path());
  Creations& here = place->second;
  if (is_first || here.forks != open_dicts().forks) {
    here = {open_dicts().forks, 0};
    return swept_on_first_open;
  }
  if (!created || ++here.count % creations_per_sweep != 0) return 0;
  return swept_on_create;
}

// The dict is open by now: that others are not looked at, for want of memory, is no reason to fail.
void sweep_as_due(const os::Directory& directory, bool created) try {
  const int count = swept_count(directory, created);
  if (count > 0) sweep_some(directory, count);
} catch (const std::bad_alloc&) {
}

// The file stays mapped, but not through the open file that holds byte 0.
void let_go_of_place(Store& store) {
  os::UnforkedFile control;
  if (open_control(store.directory, store.id, &control)) return;
  if (store.regions.map_control_anew(control)) return;
  store.attached_file.close();
}

void let_go_of_creation(Store& store) {
  end_as_creator(store);
  // The mapping of a lock that a child of fork did not inherit is not there.
  if (!created_here(store)) store.owner_byte.forget();
  store.owner_byte.release();
}

Fault check_options(const Options& options) {
  if (options.buffer_size > 0xffffffffU) {
    return Fault{Code::invalid_argument, 0, "buffer_size is too large", options.buffer_size, 0xffffffffU};
  }
  if (options.max_bytes != 0 && options.max_bytes < max_bytes_min) {
    return Fault{Code::invalid_argument, 0, "max_bytes is too small", options.max_bytes, max_bytes_min};
  }
  if ((options.mode & 0600) != 0600 || options.mode > 0777) {
    return Fault::of(Code::invalid_argument, "mode must let the owner read and write, and have permission bits alone");
  }
  if (options.attributes.size() > attributes_size_max) {
    return Fault{Code::invalid_argument, 0, "the attributes are too long", options.attributes.size(),
                 attributes_size_max};
  }
  return {};
}

}  // namespace

Fault check_name(std::string_view name) {
  const auto invalid = [](const char* what) { return Fault::of(Code::invalid_argument, what); };
  if (name.empty()) return invalid("a name must not be empty");
  if (name.size() > name_size_max) {
    return Fault{Code::invalid_argument, 0, "the name is too long", name.size(), name_size_max};
  }
  if (name.find('/') != name.npos) return invalid("a name must not contain '/'");
  if (name.find('\0') != name.npos) return invalid("a name must not contain NUL");
  if (name == "." || name == "..") return invalid("'.' and '..' are no names");
  return {};
}

Fault open_control(const os::Directory& directory, const std::string& id, os::UnforkedFile* file) {
  if (Fault fault = directory.check_data_directory(id)) return fault;
  const Fault fault = file->open(directory.data_path(id, DictFiles::control()));
  return fault ? fault : os::check_owner(*file);
}

Fault is_abandoned(const os::Directory& directory, const os::File& control, const Identity& identity,
                   const std::string& id, bool* abandoned) {
  bool leads = false;
  const Fault fault = directory.leads_to(name_of(identity), id, &leads);
  *abandoned = !fault && !leads;
  if (*abandoned || (identity.flags & identity_auto_unlink) == 0) return {};
  bool creator_lives = true;
  if (Fault asking = os::is_locked(control, creator_byte, os::LockKind::exclusive, &creator_lives)) return asking;
  *abandoned = !creator_lives;
  return {};
}

void remove_dict(const os::Directory& directory, const Identity& identity, const std::string& id) {
  (void)directory.withdraw(name_of(identity), id);
  remove_files(directory, id);
}

void remove_if_abandoned(const os::Directory& directory, const std::string& id) {
  os::UnforkedFile control;
  Identity identity{};
  const Fault opening = open_control(directory, id, &control);
  if (opening.code == Code::not_found) remove_files(directory, id);  // its removal was cut short
  if (opening || os::try_lock_byte(control, attached_byte, os::LockKind::exclusive)) return;
  if (read_identity(control, &identity) || id != std::string_view(id_of(identity))) return;
  bool abandoned = false;
  if (!is_abandoned(directory, control, identity, id, &abandoned) && abandoned) remove_dict(directory, identity, id);
}

Opening describe(const Identity& identity, const os::Directory& directory, Store* store) {
  store->name = name_of(identity);
  store->attributes.assign(reinterpret_cast<const char*>(identity.attributes), identity.attributes_size);
  store->options.directory = directory.path();
  store->options.buffer_size = identity.buffer_size;
  store->options.full_dump_size = identity.full_dump_size;
  store->options.max_bytes = identity.max_bytes;
  store->options.auto_unlink = (identity.flags & identity_auto_unlink) != 0;
  store->options.mode = static_cast<unsigned>(identity.mode);
  store->options.attributes = store->attributes;
  store->directory = directory;
  std::copy_n(identity.secret, secret_size, store->secret);
  std::string id(id_of(identity));
  std::string path(directory.data_path(id));
  return {DictFiles(std::move(path), store->options.mode, identity.max_bytes), std::move(id)};
}

void take_over(Opening opening, const Identity& identity, os::UnforkedFile& control, char* base,
               Store* store) noexcept {
  store->regions.open(std::move(opening.files), base, identity, store->token);
  store->lock.bind(&store->control().lock, store->token, &store->regions.poison());
  if (os::HeldByte::descriptor_needed) {
    store->attached_file = control.take();
  } else {
    control.close_keeping_locks();  // it would hold the place of a Store that ends
  }
  store->id = std::move(opening.id);
}

std::shared_ptr<Store> find_open(const std::string& id) {
  std::shared_ptr<Store> store;  // outlives the guard: ~Store takes the mutex too
  const std::lock_guard guard(open_dicts().mutex);
  const auto found = open_dicts().stores.find(id);
  if (found != open_dicts().stores.end()) store = found->second.lock();
  return store && store->poison() ? nullptr : store;
}

std::shared_ptr<Store> note_open(std::shared_ptr<Store> store) {
  std::shared_ptr<Store> kept = store;  // both outlive the guard: ~Store takes the mutex too
  std::shared_ptr<Store> other;
  const std::lock_guard guard(open_dicts().mutex);
  std::weak_ptr<Store>& known = open_dicts().stores[store->id];
  open_dicts().forking.reserve(open_dicts().stores.size());
  other = known.lock();
  if (other && !other->poison()) return other;
  known = store;
  return store;
}

Fault open_dict(std::string_view name, const Options& options, std::shared_ptr<Store>* store, bool* created) {
  *created = false;
  if (Fault fault = check_name(name)) return fault;
  if (Fault fault = check_options(options)) return fault;
  os::Directory directory;
  if (Fault fault = os::Directory::open(options.directory, &directory)) return fault;
  const std::string text(name);
  for (int look = 0; look < looks_max; ++look) {
    if (look >= looks_at_full_speed) os::pause_ns(1'000'000);
    std::string id;
    Fault fault = directory.id_of(name, &id);
    if (!fault) {
      if (!options.id.empty() && options.id != id)
        return Fault::of(Code::no_such_dict, "it is gone: another has its name now");
      fault = attach_dict(directory, text, id, store);
      if (!fault && options.create == Create::always) {
        store->reset();
        return Fault::of(Code::already_exists);
      }
      if (!fault && !add_handle(**store)) fault = Fault::of(Code::changed);
      if (fault.code == Code::changed) continue;
      if (!fault) sweep_as_due(directory, false);
      return fault;
    }
    if (fault.code != Code::not_found) return fault;
    if (options.create == Create::never || !options.id.empty()) return Fault::of(Code::no_such_dict);
    fault = create_dict(directory, text, options, store);
    if (fault.code == Code::already_exists) continue;  // somebody was faster
    if (!fault && !add_handle(**store)) continue;
    *created = !fault;
    if (!fault) sweep_as_due(directory, true);
    return fault;
  }
  return Fault{Code::os_error, 0,
               "the name is created and removed by others all the time, or a process that was removing it is stopped",
               0, 0};
}

bool drop_handle(Store& store) {
  const std::lock_guard guard(open_dicts().mutex);
  if (--store.handles > 0) return false;
  store.ends = ends_with_creator(store);
  return true;
}

void end_as_creator(Store& store) {
  if (!ends_with_creator(store)) return;
  (void)store.directory.withdraw(store.name, store.id);
  store.owner_byte.release();
}

void leave_dict(Store& store) {
  if (store.id.empty()) return;
  {
    const std::lock_guard guard(open_dicts().mutex);
    const auto found = open_dicts().stores.find(store.id);
    if (found != open_dicts().stores.end() && found->second.expired()) open_dicts().stores.erase(found);
  }
  store.give_lock_back_for_good();
  let_go_of_creation(store);
  store.regions.close();
  store.attached_file.close();
  remove_if_abandoned(store.directory, store.id);
}

void leave_all_dicts() {
  std::vector<std::shared_ptr<Store>> all;
  {
    const std::lock_guard guard(open_dicts().mutex);
    all.swap(open_dicts().forking);  // has the room
    for (const auto& [id, known] : open_dicts().stores) {
      if (std::shared_ptr<Store> store = known.lock()) all.push_back(std::move(store));
    }
  }
  for (const auto& store : all) {
    let_go_of_creation(*store);
    let_go_of_place(*store);
    remove_if_abandoned(store->directory, store->id);
  }
  let_go(std::move(all));
}

Fault unlink_dict(std::string_view name, std::string_view wanted, std::string_view wanted_id) {
  if (Fault fault = check_name(name)) return fault;
  os::Directory directory;
  if (Fault fault = os::Directory::open(wanted, &directory)) return fault;
  std::string id(wanted_id);
  Fault fault = id.empty() ? directory.id_of(name, &id) : Fault::none();
  if (!fault) fault = directory.withdraw(name, id);
  if (fault) return fault.code == Code::not_found ? Fault::of(Code::no_such_dict) : fault;
  // Whoever is attached goes on with what it has; the last one removes the files. What cannot be opened just now is
  // left to those who sweep.
  os::UnforkedFile control;
  const Fault opening = open_control(directory, id, &control);
  if (opening.code == Code::not_found || (!opening && is_alone(control))) remove_files(directory, id);
  return {};
}

void sweep_some(const os::Directory& directory, int count) {
  std::shared_ptr<os::LivenessToken> token;
  if (os::LivenessToken::of_directory(directory.path(), &token)) return;
  directory.look_at_some(count, [&](const std::string& id) {
    if (id.starts_with("new-")) return remove_if_dead(directory, *token, id);
    remove_if_abandoned(directory, id);
  });
}

}  // namespace ultradict
