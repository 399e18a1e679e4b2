// SPDX-License-Identifier: Apache-2.0
// Walk: the keys and values of a dict in insertion order as Python objects, taken from the cache where it has them. It
// looks some keys ahead; one that was deleted since is passed over.
#pragma once

#include "session.h"

namespace ultradict::python {

enum class Part { keys, values, items };

class Walk {
 public:
  explicit Walk(Session* session, Cursor::Direction direction = Cursor::Direction::forward)
      : session_(session), cursor_(session->engine, direction) {}

  // The next key, with its value, if nothing has to be decoded or asked for: no Python code runs. Null: see next().
  const Cache::Item* next_at_hand(Part part) noexcept;

  enum class Step { error, end, item };
  // Sets what `part` names; the session must be open. Errors are raised for the key they concern, the walk may go on.
  Step next(Part part, Ref* key, Ref* value) {
    const Use use(session_);
    for (;;) {
      *key = Ref();  // of a round before: what goes with it may use the dict, and this walk
      if (next_ == count_ || !session_->cache.is_table(table_number_)) {
        const Step step = look_ahead();
        if (step != Step::item) return step;
      }
      const Passed& passed = ahead_[next_++];
      const std::uint64_t ref = passed.ref_word->load(std::memory_order_acquire);
      if (ref == 0) continue;
      const Step step = look_at(part, passed, ref, key, value);
      if (step != Step::end) return step;
    }
  }

 private:
  static constexpr std::size_t ahead_max = 32;

  Step look_ahead();
  // `end` of these means: the key is gone.
  Step look_at(Part part, const Passed& passed, std::uint64_t ref, Ref* key, Ref* value);
  // Both run Python code that may go on with this walk: they have what was passed, and its table, for themselves.
  Step refreshed(Part part, std::uint32_t number, Passed passed, Ref* key, Ref* value);
  Step from_store(Part part, Passed passed, std::uint64_t table_number, Ref* key, Ref* value);
  Step read(Part part, Sighting seen, Ref* key, Ref* value, bool* replaced);
  Step remember_key(const Sighting& seen, const Record& record, PyObject* key);

  Session* session_;
  Cursor cursor_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  std::uint32_t item_ = Cache::none;  // of the cache, that was passed last: a copy of the dict is often in its order
  std::uint64_t table_number_ = 0;    // of the table of what lies ahead
  Passed ahead_[ahead_max];
};

inline const Cache::Item* Walk::next_at_hand(Part part) noexcept {
  const Cache& cache = session_->cache;
  if (next_ == count_ || !cache.is_table(table_number_)) return nullptr;
  const Passed& passed = ahead_[next_];
  const std::uint64_t ref = passed.ref_word->load(std::memory_order_acquire);
  const Cache::Item* item = cache.find_ref(passed, ref, item_ + 1);
  if (item == nullptr || !Cache::key_known(*item)) return nullptr;
  if (part != Part::keys && session_->cached_value(*item) == nullptr) return nullptr;
  ++item_;
  ++next_;
  return item;
}

inline Walk::Step Walk::look_at(Part part, const Passed& passed, std::uint64_t ref, Ref* key, Ref* value) {
  Cache& cache = session_->cache;
  const std::uint32_t number = cache.find_entry(table_number_, passed.entry, passed.born);
  if (number == Cache::none || !Cache::key_known(cache.item(number)))
    return from_store(part, passed, table_number_, key, value);
  item_ = number;
  Cache::Item& item = cache.item(number);
  const bool unchanged = item.ref == ref;
  if (!unchanged && passed.born_word->load(std::memory_order_acquire) != passed.born)
    return from_store(part, passed, table_number_, key, value);
  if (part != Part::values) *key = Ref::share(item.key);
  if (part == Part::keys) return Step::item;
  PyObject* cached = session_->cached_value(item);
  if (!unchanged || cached == nullptr) return refreshed(part, number, passed, key, value);
  *value = Ref::share(cached);
  return Step::item;
}

}  // namespace ultradict::python
