// SPDX-License-Identifier: Apache-2.0
#include <atomic>

#include "store/identity.h"
#include "store/life.h"
#include "store/log.h"

namespace ultradict {

namespace {

// Built whole in a directory that carries its builder's number, so that a sweep can tell whether it will ever be
// finished.
std::string building_id(const os::LivenessToken& token) {
  static std::atomic<Word> count{0};
  const LockWord builder{token.word()};
  return "new-" + std::to_string(builder.number()) + "-" + std::to_string(builder.generation()) + "-" +
         std::to_string(count.fetch_add(1));
}

// What was built goes again, unless a Store has taken it over: also when an exception ends its making.
struct Built {
  Built(const os::Directory& place, std::string building_name, std::string final_id, Word control_size)
      : directory(place), building(std::move(building_name)), id(std::move(final_id)), size(control_size) {}
  ~Built() {
    if (is_taken_over) return;
    os::unmap(base, size);
    remove_files(directory, building);
    remove_files(directory, id);
  }
  Built(const Built&) = delete;
  Built& operator=(const Built&) = delete;

  const os::Directory& directory;
  const std::string building;
  const std::string id;
  const Word size;
  os::UnforkedFile control;  // byte 0 locked, as by all who are attached
  os::UnforkedFile creator;  // byte 1 locked, of another open file
  char* base = nullptr;
  bool is_taken_over = false;
};

Fault build(const os::Directory& directory, const std::string& building, const Identity& identity, Built* built) {
  const auto mode = static_cast<unsigned>(identity.mode);
  if (Fault fault = directory.make_data_directory(building, 0700)) return fault;
  const os::Path path = directory.data_path(building, DictFiles::control());
  if (Fault fault = built->control.create(path, mode)) return fault;
  if (Fault fault = os::allocate(built->control, 0, identity.size)) return fault;
  if (Fault fault = os::try_lock_byte(built->control, attached_byte, os::LockKind::shared)) return fault;
  if ((identity.flags & identity_auto_unlink) != 0) {
    if (Fault fault = built->creator.open(path)) return fault;
    if (Fault fault = os::try_lock_byte(built->creator, creator_byte, os::LockKind::exclusive)) return fault;
  }
  if (Fault fault = os::map(built->control, identity.size, &built->base)) return fault;
  fill_control(built->base, identity);
  return MemoryBudget(std::string(directory.data_path(building)), identity.max_bytes).set_aside(mode);
}

// Memory that the content will need, before anybody relies on it.
Fault set_aside(Store& store, Word size) {
  if (size == 0) return {};
  return under_lock(store, [&](LockHeld held) { return set_aside_segments(store, held, size); });
}

}  // namespace

Fault create_dict(const os::Directory& directory, const std::string& name, const Options& options,
                  std::shared_ptr<Store>* store) {
  auto made = std::make_shared<Store>();
  if (Fault fault = os::LivenessToken::of_directory(directory.path(), &made->token)) return fault;
  Identity identity{};
  if (Fault fault = make_identity(name, options, made->token->id(), &identity)) return fault;
  Built built(directory, building_id(*made->token), std::string(id_of(identity)), identity.size);
  if (Fault fault = build(directory, built.building, identity, &built)) return fault;
  if (built.creator) {
    if (Fault fault = made->owner_byte.keep(std::move(built.creator), false)) return fault;
  }
  if (Fault fault = directory.rename_data_directory(built.building, built.id)) return fault;
  Opening opening = describe(identity, directory, made.get());
  built.is_taken_over = true;
  take_over(std::move(opening), identity, built.control, built.base, made.get());
  made->creator = made->token->word();
  // From here on ~Store removes what nobody can find.
  if (Fault setting = set_aside(*made, options.full_dump_size)) return setting;
  *store = note_open(std::move(made));
  const Fault publishing = directory.publish(name, (*store)->id);
  if (publishing) store->reset();
  return publishing;
}

}  // namespace ultradict
