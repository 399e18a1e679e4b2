// SPDX-License-Identifier: Apache-2.0
#include "actor.h"

#include <sched.h>

#include <cstdio>

namespace ultradict::test {

namespace {

constexpr std::size_t large_size = blob_size_min + 1000;

std::int64_t fail(const char* what, const Status& status) {
  std::fprintf(stderr, "%s: code %d %s\n", what, static_cast<int>(status.code()), status.message().c_str());
  return wrong;
}

std::int64_t answer(const char* what, const Status& status, std::int64_t if_ok, std::int64_t if_missing) {
  if (status) return if_ok;
  return status.code() == Code::not_found ? if_missing : fail(what, status);
}

std::int64_t number_in(const std::string& key, Bytes value) {
  std::uint64_t number = 0;
  if (is_marked(key, value, &number)) return static_cast<std::int64_t>(number);
  std::fprintf(stderr, "%s: a value that nobody wrote: %s\n", key.c_str(), summary_of(std::string(value)).c_str());
  return wrong;
}

}  // namespace

std::int64_t Actor::act(Kind kind, std::uint8_t number, std::int64_t argument) {
  const std::string key = "k" + std::to_string(number);
  switch (kind) {
    case Kind::get:
      return get(key);
    case Kind::contains:
      return answer("contains", dict_.contains(key), 1, 0);
    case Kind::put:
      return put(key, argument);
    case Kind::erase:
      return erase(key);
    case Kind::clear:
      return answer("clear", dict_.clear(), 0, wrong);
    default:
      return change_under_lock(kind, key, argument);
  }
}

// --- reading ---

std::int64_t Actor::get(const std::string& key) { return by_chance(3) ? get_plainly(key) : get_by_memory(key); }

std::int64_t Actor::get_plainly(const std::string& key) {
  std::string value;
  const Status status = dict_.get(key, &value);
  return status ? number_in(key, value) : answer("get", status, 0, absent);
}

// As a cache of decoded values does: two loads if nothing changed, a second look if the record is another one.
std::int64_t Actor::get_by_memory(const std::string& key) {
  const auto found = memory_.find(key);
  if (found == memory_.end()) return get_anew(key);
  Memory& known = found->second;
  if (known.seen.current()) return known.value;
  Record record;
  bool moved = false;
  const Status status = dict_.reread(&known.seen, &buffer_, &record, &moved);
  if (status.code() == Code::changed) return get_anew(key);
  if (!status) return fail("reread", status);
  return moved ? known.value : remember(key, known.seen, record);
}

std::int64_t Actor::get_anew(const std::string& key) {
  Sighting seen;
  Record record;
  const Status status = dict_.find(key, &seen, &buffer_, &record);
  if (status) return remember(key, seen, record);
  memory_.erase(key);
  return answer("find", status, 0, absent);
}

std::int64_t Actor::remember(const std::string& key, const Sighting& seen, const Record& record) {
  std::string large;
  if (record.is_blob) {
    large.resize(record.value_size);
    const Status status = dict_.read_blob(seen, large.size(), large.data());
    if (status.code() == Code::changed) return get_anew(key);
    if (!status) return fail("read_blob", status);
  }
  const std::int64_t value = number_in(key, record.is_blob ? Bytes(large) : record.value);
  memory_[key] = {seen, value};
  return value;
}

// --- writing ---

std::int64_t Actor::put(const std::string& key, std::int64_t value) {
  const std::size_t size = by_chance(60) ? large_size : random_.below(400);
  Sighting written;
  if (remembers(key)) written = memory_[key].seen;
  const Status status = put_somehow(key, marked_value(key, static_cast<std::uint64_t>(value), size), &written);
  if (!status) return fail("put", status);
  memory_[key] = {written, value};
  return 0;
}

Status Actor::put_somehow(const std::string& key, Bytes value, Sighting* written) {
  const bool is_known = written->ref_word != nullptr;
  if (value.size() > blob_size_min) return put_large(key, value, written);
  const bool quickly = by_chance(2);
  Status status(Code::changed);
  if (is_known) status = quickly ? dict_.try_put_at(written, value) : dict_.put_at(written, value);
  if (status.code() == Code::changed && quickly) status = dict_.try_put(Key{key}, value, written);
  const bool is_undone = status.code() == Code::changed || status.code() == Code::lock_busy;
  return is_undone ? dict_.put(Key{key}, value, written) : std::move(status);
}

Status Actor::put_large(const std::string& key, Bytes value, Sighting* written) {
  StagedValue staged;
  if (Status status = dict_.stage({&value, 1}, &staged); !status) return status;
  if (written->ref_word) {
    Status status = dict_.put_at(written, &staged);
    if (status.code() != Code::changed) return status;
  }
  return dict_.put(Key{key}, &staged, written);
}

std::int64_t Actor::erase(const std::string& key) {
  if (remembers(key)) {
    const Status status = dict_.erase_at(memory_[key].seen);
    if (status.code() != Code::changed) return answer("erase_at", status, 1, wrong);
  }
  return answer("erase", dict_.erase(key), 1, 0);
}

// --- reading and writing in one step, by the lock ---

std::int64_t Actor::change_under_lock(Kind kind, const std::string& key, std::int64_t argument) {
  const LockGuard guard(dict_);
  if (!guard.status()) return fail("lock", guard.status());
  const std::int64_t before = get(key);
  if (before == wrong) return wrong;
  if (by_chance(3)) ::sched_yield();  // readers come to see the lock held
  if (kind == Kind::pop) return before == absent || erase(key) == 1 ? before : wrong;
  if (kind == Kind::setdefault && before != absent) return before;
  const std::int64_t after = kind == Kind::setdefault ? argument : before == absent ? 1 : before + 1;
  return put(key, after) == 0 ? after : wrong;
}

}  // namespace ultradict::test
