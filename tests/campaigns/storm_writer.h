// SPDX-License-Identifier: Apache-2.0
// A writer of a kill storm: one of up to eight processes that change one dict until they are killed. The next process
// of its place first makes sure that the dict holds all that was acknowledged, and the operation under way wholly or
// not at all; what it found of that one is noted, and must stay so.
#pragma once

#include "storm_notes.h"
#include "support/content.h"

namespace ultradict::test::storm {

class Writer {
 public:
  Writer(Dict& dict, const Control& control, Notes& notes, int place, std::uint64_t seed)
      : dict_(dict),
        control_(control),
        notes_(notes),
        note_(notes.writers[static_cast<std::size_t>(place)]),
        place_(place),
        seed_(seed) {}

  // Ends the process if the dict does not hold what it must.
  void verify();
  [[noreturn]] void run();

 private:
  void take_lock(bool asks_at_once);
  void note_takeover(std::int64_t began_ns);
  void note_wait(std::int64_t by_clock_ns, std::int64_t kept_waiting_ns);

  void settle();
  void settle_clear();
  void advance_model();
  std::vector<Values> possible() const;
  Values found() const;
  Number found_in(const std::string& key) const;
  Number found_in_nested() const;
  std::string key(int slot) const;

  void do_next(Random& chance);
  void apply(Number number, Values* values) const;
  void change(Number number);
  void put(int slot, Number number);
  void put_three(int slot, Number number);
  void erase(int slot);
  void nest(Number number);
  void increment();
  void clear(Number number);

  Dict& dict_;
  const Control& control_;
  Notes& notes_;
  WriterNote& note_;
  int place_;
  std::uint64_t seed_;
};

}  // namespace ultradict::test::storm
