// SPDX-License-Identifier: Apache-2.0
// World: a dict, threads that use it, and every order in which they can. Each operation here is one of the engine,
// whose answer is judged; a scenario says what the dict holds at first and what each thread does.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "interleavings/history.h"
#include "interleavings/scheduler.h"
#include "store/store.h"
#include "support/copy.h"
#include "support/scratch.h"
#include "ultradict/dict.h"

namespace ultradict::test {

// How many deviations a run may have: in sequential consistency, and with loads that meet older stores.
struct Bounds {
  int strict;
  int weak;
};

class World {
 public:
  using Script = std::function<void(World&)>;
  struct Scenario {
    std::string name;
    Bounds in_short;
    Bounds in_full;
    std::function<void(Dict&)> prepare;
    std::vector<Script> threads;
    // What makes the scenario one: must be so at the end of a run.
    std::function<bool(const Control& before, const Control& after)> happens = {};
    // After `prepare`, and after the copy was made that follow_on() goes on with.
    std::function<void(Dict&)> change = {};
  };

  // Explores it whole; a failure of the test tells the first run in which something was wrong.
  static void explore(const Scenario& scenario);

  Dict& dict() { return dict_; }
  Store& store() { return *store_; }
  bool is_strict() const { return is_strict_; }
  void fail(const std::string& what);

  // --- operations of a thread ---
  void put(const std::string& key, const std::string& value);
  void put_all(const std::map<std::string, std::string>& items);
  void erase(const std::string& key);
  void clear();
  void clean();
  void get(const std::string& key);
  void contains(const std::string& key);
  // The same key again and again through what was seen of it, as who keeps decoded values does.
  void reread(const std::string& key, int times);
  // By keys alone, or with their records.
  void walk(Cursor::Direction direction, bool with_records);
  // A copy that follows the changes is, each time, what the dict was at a moment of the update. `writes`: a key
  // of its own between them, which nobody else may.
  void follow(int updates, bool writes);
  // The same of one that was up to date when the scenario was prepared.
  void follow_on();
  void nest(const std::string& key);  // its value becomes an empty nested dict
  // Of the nested dict under a key, whose own keys are known to the history as "key/theirs".
  void clear_nested(const std::string& key);
  void follow_nested(const std::string& key, int updates);
  void lock_and_leave();

 private:
  explicit World(const Scenario& scenario);
  void explore_all(const Bounds& bounds);
  void explore_with(int deviations);
  void save();
  void begin_run();
  void end_run();
  // `path`: that of the dict which it copies.
  void update(Copy* copy, const std::string& path = "");
  Dict nested(const std::string& key);
  void judge(const std::string& key, const Status& status, const Answer& answer, std::int64_t begin);
  void write(const std::vector<std::pair<std::string, Answer>>& changes, const std::function<Status()>& operation);

  const Scenario& scenario_;
  Scratch scratch_;
  Dict dict_;
  std::shared_ptr<Store> store_;
  std::string control_;     // its bytes when a run begins
  std::string next_slots_;  // and those of the array being built, if there is one
  std::map<std::string, std::string> content_;
  std::optional<Copy> copy_;  // of what was prepared
  std::vector<std::string> order_;
  std::unique_ptr<Scheduler> scheduler_;
  History history_;
  bool is_strict_ = true;
  int inside_ = 0;  // threads that hold the lock
  std::string failure_;
  std::uint64_t runs_ = 0;
};

}  // namespace ultradict::test
