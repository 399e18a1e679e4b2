// SPDX-License-Identifier: Apache-2.0
// Actor: does operations on a dict as different programs would do them: plainly, or by what it remembers of a key.
// Values are numbers; how they are stored shows if a value that is read is one that somebody wrote.
//
// Thread safety: belongs to one thread; several may share the dict.
#pragma once

#include <map>
#include <string>

#include "line.h"
#include "support/content.h"
#include "ultradict/dict.h"

namespace ultradict::test {

class Actor {
 public:
  Actor(Dict* dict, std::uint64_t seed) : dict_(*dict), random_(seed) {}

  std::int64_t act(Kind kind, std::uint8_t key, std::int64_t argument);

 private:
  // What was last seen of a key.
  struct Memory {
    Sighting seen;
    std::int64_t value = absent;
  };

  std::int64_t get(const std::string& key);
  std::int64_t get_plainly(const std::string& key);
  std::int64_t get_by_memory(const std::string& key);
  std::int64_t get_anew(const std::string& key);
  std::int64_t remember(const std::string& key, const Sighting& seen, const Record& record);
  std::int64_t put(const std::string& key, std::int64_t value);
  Status put_large(const std::string& key, Bytes value, Sighting* written);
  Status put_somehow(const std::string& key, Bytes value, Sighting* written);
  std::int64_t erase(const std::string& key);
  std::int64_t change_under_lock(Kind kind, const std::string& key, std::int64_t argument);
  bool by_chance(std::uint64_t of) { return random_.below(of) == 0; }
  bool remembers(const std::string& key) { return memory_.contains(key) && !by_chance(3); }

  Dict& dict_;
  Random random_;
  Buffer buffer_;
  std::map<std::string, Memory> memory_;
};

}  // namespace ultradict::test
