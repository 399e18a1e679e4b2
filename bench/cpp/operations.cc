// SPDX-License-Identifier: Apache-2.0
// operations <operation> <count>: does one operation so many times, for who counts what the processor does meanwhile
// (tools/instructions.py): the difference between two counts is the cost of the operations between them.
#include <cstdio>
#include <cstring>
#include <string>

#include "support/fresh_dict.h"

namespace bench {
namespace {

using ultradict::Dict;

constexpr std::uint64_t key_count = 1000;

void get(Dict& dict, std::uint64_t turn) {
  static std::string value;
  require(dict.get(bytes(turn % key_count), &value));
}

void get_missing(Dict& dict, std::uint64_t turn) {
  if (dict.contains(bytes(key_count + turn)).code() != ultradict::Code::not_found) fail("a key that nobody put");
}

void overwrite(Dict& dict, std::uint64_t turn) { require(dict.put(bytes(turn % key_count), bytes(turn))); }

void insert(Dict& dict, std::uint64_t turn) { require(dict.put(bytes(key_count + turn), bytes(turn))); }

void insert_and_erase(Dict& dict, std::uint64_t turn) {
  require(dict.put(bytes(key_count + turn), bytes(turn)));
  require(dict.erase(bytes(key_count + turn)));
}

void increment(Dict& dict, std::uint64_t) {
  static std::string value;
  require(dict.lock());
  require(dict.get(bytes(std::uint64_t{0}), &value));
  std::uint64_t count = 0;
  std::memcpy(&count, value.data(), sizeof count);
  require(dict.put(bytes(std::uint64_t{0}), bytes(count + 1)));
  require(dict.unlock());
}

struct Operation {
  const char* name;
  void (*once)(Dict& dict, std::uint64_t turn);
};

constexpr Operation operations[] = {
    {"get", get},       {"get_missing", get_missing},           {"overwrite", overwrite},
    {"insert", insert}, {"insert_and_erase", insert_and_erase}, {"increment", increment},
};

void repeat(const Operation& operation, std::uint64_t count) {
  Dict dict;
  open_fresh("operations", &dict);
  for (std::uint64_t key = 0; key < key_count; ++key) require(dict.put(bytes(key), bytes(key)));
  for (std::uint64_t turn = 0; turn < count; ++turn) operation.once(dict, turn);
  require(dict.unlink());
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  if (argc != 3) fail("usage: operations <operation> <count>");
  for (const Operation& operation : operations) {
    if (std::strcmp(operation.name, argv[1]) != 0) continue;
    repeat(operation, std::strtoull(argv[2], nullptr, 10));
    return 0;
  }
  fail("operations: there is no " + std::string(argv[1]));
}
