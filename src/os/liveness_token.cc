// SPDX-License-Identifier: Apache-2.0
#include "os/liveness_token.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <mutex>

#include "os/directory_lock.h"
#include "os/fork.h"

namespace ultradict::os {

namespace {

constexpr Word token_magic = 0x6e656b6f74647500ULL;

// Who claims a number holds this byte first. The byte of the number comes last, when its record has another generation
// than that of a dead process: that one is dead for everybody, whenever the claimer stops.
constexpr Size claim_byte(Word number) { return participants_max + number; }

Word record_offset(Word number) { return sizeof(TokenHeader) + number * sizeof(TokenRecord); }

// One token per directory and process. The mutex is held across fork, so that a child finds both in order.
struct Registry {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<LivenessToken>> tokens;
};

Registry& registry() {
  static Registry* const instance = [] {
    at_fork([] { registry().mutex.lock(); }, [] { registry().mutex.unlock(); }, [] { registry().mutex.unlock(); });
    return new Registry;  // never destroyed: threads may outlive static objects
  }();
  return *instance;
}

// Before there are threads: a fork amid its making would leave it unmade to the child.
[[maybe_unused]] const Registry& made_at_load = registry();

// Made whole under another name, then renamed: whoever opens the token file finds its id in it. One process at a time,
// and only while there is none: what a dead one left half-made the next one makes anew.
Fault make_token_file(const std::string& directory, const std::string& path) {
  UnforkedFile lock;
  File file;
  if (Fault fault = lock_directory(directory, &lock)) return fault;
  if (Fault fault = open_file(path.c_str(), &file); fault.code != Code::not_found) return fault;
  TokenHeader header{token_magic, {0, 0}, 0};
  if (Fault fault = random_bytes(header.id, sizeof header.id)) return fault;
  const std::string making = path + "-new";
  remove_file(making.c_str());
  Fault fault = create_file(making.c_str(), 0600, &file);
  if (!fault) fault = allocate(file, 0, page_size);
  if (!fault) fault = write_at(file, 0, reinterpret_cast<const char*>(&header), sizeof header);
  if (!fault) fault = rename_file(making.c_str(), path.c_str());
  if (fault) remove_file(making.c_str());
  return fault;
}

}  // namespace

Fault LivenessToken::of_directory(const std::string& directory, std::shared_ptr<LivenessToken>* token) {
  const std::lock_guard guard(registry().mutex);
  std::weak_ptr<LivenessToken>& known = registry().tokens[directory];
  *token = known.lock();
  if (File file; *token && !(*token)->open_own(&file)) return (*token)->claim_in_child();
  std::shared_ptr<LivenessToken> opened(new LivenessToken);
  if (Fault fault = opened->open(directory)) return fault;
  known = opened;
  *token = std::move(opened);
  return {};
}

Fault LivenessToken::open(const std::string& directory) {
  if (Fault fault = check_fork_handlers()) return fault;
  path_ = directory + "/token";
  void* mapped = ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return system_fault("map a page");
  word_ = static_cast<Word*>(mapped);
  if (::madvise(mapped, page_size, MADV_WIPEONFORK) != 0) {
    return Fault{Code::unsupported, 0, "MADV_WIPEONFORK (Linux 4.14 or later) is needed", 0, 0};
  }
  File file;
  Fault fault = open_file(path_.c_str(), &file);
  if (fault.code == Code::not_found) {
    if (Fault making = make_token_file(directory, path_)) return making;
    fault = open_file(path_.c_str(), &file);
  }
  if (fault) return fault;
  if (Fault reading = read_at(file, 0, reinterpret_cast<char*>(&header_), sizeof header_)) return reading;
  if (header_.magic != token_magic)
    return Fault::damaged("the token file is no token file", header_.magic, token_magic);
  return claim();
}

LivenessToken::~LivenessToken() {
  if (!word_) return;
  if (word() == 0) byte_.forget();
  ::munmap(word_, page_size);
}

Fault LivenessToken::claim_if_forked() {
  if (word() != 0) return {};
  const std::lock_guard guard(registry().mutex);
  return claim_in_child();
}

Fault LivenessToken::claim_in_child() {
  if (word() != 0) return {};
  byte_.forget();  // it was not inherited
  return claim();
}

// Somebody may have removed the directory under us: what is there now knows other participants, and nothing of those
// that this process shares dicts with.
Fault LivenessToken::expect_own(const Fault& opening, const File& file) const {
  TokenHeader now{};
  const Fault fault = opening ? opening : read_at(file, 0, reinterpret_cast<char*>(&now), sizeof now);
  if (fault && fault.code != Code::not_found) return fault;
  if (!fault && std::ranges::equal(now.id, header_.id)) return {};
  return Fault::damaged("the token file of its directory was removed: who else uses the dict, and lives, is not known",
                        now.id[0], header_.id[0]);
}

Fault LivenessToken::open_own(File* file) const { return expect_own(open_file(path_.c_str(), file), *file); }

Fault LivenessToken::claim() {
  for (Word number = 1; number <= participants_max; ++number) {
    const Fault fault = claim_number(number);
    if (fault.code != Code::lock_busy) return fault;
  }
  return Fault{Code::os_error, 0, "all participant numbers of the directory are in use", participants_max,
               participants_max};
}

Fault LivenessToken::claim_number(Word number) {
  UnforkedFile file;
  UnforkedFile claiming;
  bool taken = false;
  if (Fault fault = expect_own(file.open(path_.c_str()), file)) return fault;
  if (Fault fault = claiming.open(path_.c_str())) return fault;
  if (Fault fault = try_lock_byte(claiming, claim_byte(number), LockKind::exclusive)) return fault;
  if (Fault fault = is_locked(file, number, LockKind::exclusive, &taken)) return fault;
  if (taken) return Fault::of(Code::lock_busy);
  TokenRecord record{};
  Size size = 0;
  if (Fault fault = file_size(file, &size)) return fault;
  if (record_offset(number + 1) <= size) {
    if (Fault fault = read_at(file, record_offset(number), reinterpret_cast<char*>(&record), sizeof record))
      return fault;
  }
  record.generation = record.generation + 1 == 0 ? 1 : record.generation + 1;
  record.pid = static_cast<std::int32_t>(::getpid());
  if (Fault fault = write_at(file, record_offset(number), reinterpret_cast<const char*>(&record), sizeof record))
    return fault;
  if (Fault fault = try_lock_byte(file, number, LockKind::exclusive)) return fault;
  claiming.close();
  if (Fault fault = byte_.keep(std::move(file), false)) return fault;
  bool survives = false;
  if (Fault fault = survives_its_descriptor(number, &survives)) {
    byte_.release();  // nobody would: without a word it counts as another process's
    return fault;
  }
  if (!survives) {
    byte_.release();
    if (HeldByte::descriptor_needed) return Fault::of(Code::unsupported, "this kernel loses file locks");
    HeldByte::descriptor_needed = true;
    return claim_number(number);
  }
  __atomic_store_n(word_, LockWord::owned(number, record.generation).word, __ATOMIC_RELAXED);
  return {};
}

Fault LivenessToken::survives_its_descriptor(Word number, bool* survives) const {
  File other;
  if (Fault fault = open_own(&other)) return fault;
  return is_locked(other, number, LockKind::exclusive, survives);
}

Fault LivenessToken::read_record(const File& file, Word number, TokenRecord* record) {
  return read_at(file, record_offset(number), reinterpret_cast<char*>(record), sizeof *record);
}

Fault LivenessToken::is_dead(LockWord owner, bool* dead) const {
  *dead = false;
  const Word number = owner.number();
  if (number == 0 || number > participants_max) return Fault::damaged("participant number", number, participants_max);
  File file;
  if (Fault fault = open_own(&file)) return fault;
  bool locked = true;
  if (Fault fault = is_locked(file, number, LockKind::exclusive, &locked)) return fault;
  TokenRecord record{};
  if (locked) {
    if (Fault fault = read_record(file, number, &record)) return fault;
  }
  *dead = !locked || record.generation != owner.generation();
  return {};
}

std::int32_t LivenessToken::pid_of(LockWord owner) const {
  File file;
  TokenRecord record{};
  if (owner.is_free() || owner.number() > participants_max) return 0;
  if (open_own(&file) || read_record(file, owner.number(), &record)) return 0;
  return record.generation == owner.generation() ? record.pid : 0;
}

}  // namespace ultradict::os
