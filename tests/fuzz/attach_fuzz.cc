// SPDX-License-Identifier: Apache-2.0
// Attach and read: the input is damage to a sound dict, which is then opened and used in every way. Whatever was
// damaged, each call ends, with an error or without, and touches nothing that is not its own.
#include <array>
#include <vector>

#include "harness/damage.h"
#include "harness/image.h"
#include "harness/input.h"

namespace ultradict::fuzz {
namespace {

constexpr std::size_t steps_max = 100'000;  // of a walk over a few hundred keys

void expect_made(const Status& status) { expect(static_cast<bool>(status), status.message().c_str()); }

// Deleted and overwritten keys, nested dicts, an exotic key, one with a face.
void fill_small(Dict& dict) {
  for (int i = 0; i < 12; ++i) expect_made(dict.put("k" + std::to_string(i), std::string(20, 'a')));
  for (int i = 0; i < 12; i += 3) expect_made(dict.put("k" + std::to_string(i), std::string(20, 'b')));
  expect_made(dict.erase("k5"));
  expect_made(dict.put(Key{"exotic", "face", true}, "value", nullptr));
  Dict child;
  Dict inner;
  expect_made(dict.put_new_child("child", &child));
  expect_made(child.put("x", "1"));
  expect_made(child.put_new_child("inner", &inner));
  expect_made(inner.put("y", "2"));
  expect_made(dict.put_child(Key{"again"}, inner));
}

// Every kind of file, and too large to be checked whole on attach.
void fill_large(Dict& dict) {
  fill_small(dict);
  for (int i = 0; i < 100; ++i) expect_made(dict.put("l" + std::to_string(i), std::string(1300, 'c')));
  expect_made(dict.put("blob", std::string(33'000, 'd')));
}

std::vector<std::string> some_keys() {
  std::vector<std::string> keys = {"exotic", "child", "again", "blob", "absent", "x"};
  for (int i = 0; i < 12; ++i) keys.push_back("k" + std::to_string(i));
  for (int i = 0; i < 100; i += 9) keys.push_back("l" + std::to_string(i));
  return keys;
}

class Use {
 public:
  explicit Use(Input input) : input_(input) {}

  void run(const std::string& name) {
    if (!Dict::open(name, options(Create::never), &dict_)) return;
    (void)dict_.open_child("child", &child_);
    for (int i = 0; i < 5 && !input_.at_end(); ++i) step(input_.byte());
  }

 private:
  // What is left of `which` says how much of it, and where: most executions should do little.
  void step(std::uint8_t which) {
    const unsigned how = which / 12;
    switch (which % 12) {
      case 0:
        return read(how);
      case 1:
        return walk(dict_, Cursor::Direction::forward);
      case 2:
        return write(dict_, how);
      case 3:
        return erase();
      case 4:
        return walk(child_, Cursor::Direction::backward);
      case 5:
        return write(child_, how);
      case 6:
        return (void)dict_.clean();
      case 7:
        return (void)(how % 2 == 0 ? dict_.clear() : child_.clear());
      case 8:
        return (void)dict_.check();
      case 9:
        return follow();
      case 10:
        return write_many(how);
      default:
        return look();
    }
  }

  // Every eighth of the keys, or all of them.
  void read(unsigned how) {
    static const std::vector<std::string> keys = some_keys();
    for (std::size_t i = how % 8; i < keys.size(); i += how < 8 ? 8 : 1) {
      std::string value;
      (void)dict_.get(keys[i], &value);
      (void)dict_.contains(keys[i]);
      (void)child_.get(keys[i], &value);
    }
  }

  void walk(const Dict& dict, Cursor::Direction direction) {
    Cursor cursor(dict, direction);
    Sighting seen;
    Record record;
    std::size_t steps = 0;
    while (cursor.next(&seen, &buffer_, &record)) {
      expect(++steps < steps_max, "a walk ends");
      std::string value;
      bool moved = false;
      if (record.is_blob) (void)dict.get(record.canonical, &value);
      if (steps % 8 == 0) (void)dict.reread(&seen, &buffer_, &record, &moved);
    }
  }

  void write(Dict& dict, unsigned how) {
    Sighting seen;
    for (unsigned i = how % 4; i < 16; i += how % 2 == 0 ? 4 : 1) {
      const std::string key = "k" + std::to_string(i);
      const Status status = dict.put(Key{key}, std::string(20 + 50 * i, 'n'), &seen);
      if (status.code() == Code::memory_full) return;  // so would be the others, and each tries hard for room
    }
    if (how % 4 == 3) (void)dict.put("large", std::string(33'000, 'l'));
    if (how % 4 == 2) (void)dict.put("blob", "small");
    if (how % 4 != 1) return;
    Dict made;
    (void)dict.put_new_child("made", &made);
    (void)made.put_child(Key{"up"}, child_);
    (void)made.put("z", "3");
  }

  // A few, or as many as make the table grow; some of them twice.
  void write_many(unsigned how) {
    const int count = how % 4 == 3 ? 80 : 8;
    std::vector<std::string> keys;
    for (int i = 0; i < count; ++i) keys.push_back("m" + std::to_string(i % (count - count / 8)));
    std::vector<Item> items;
    for (const std::string& key : keys) items.push_back({Key{key}, Bytes(key)});
    (void)(how % 2 == 0 ? child_ : dict_).put_all(items);
  }

  void erase() {
    for (const char* key : {"k1", "k3", "child", "exotic", "blob", "again", "l9", "absent"}) (void)dict_.erase(key);
    (void)child_.erase("inner");
  }

  void follow() {
    Progress progress;
    std::vector<Sighting> changed;
    for (const Dict* dict : {&dict_, &child_}) {
      (void)dict->changes(&progress, &changed);
      (void)dict_.put("k1", "followed");
      (void)dict->changes(&progress, &changed);
      progress = Progress{dict_.stats().table_number, 0, 0, 0};
      (void)dict->changes(&progress, &changed);
    }
  }

  void look() {
    MappedValue mapped;
    if (dict_.map("blob", &mapped)) (void)mapped.is_intact();
    std::uint64_t links = 0;
    (void)child_.link_count(&links);
    (void)child_.alive();
    (void)(child_.count() + dict_.count() + child_.exotic_count() + dict_.children_ended());
    (void)dict_.stats();
    (void)dict_.owner();
  }

  Input input_;
  Dict dict_;
  Dict child_;
  Buffer buffer_;
};

void run(Input input) {
  static const auto* const images = new std::array<Image, 2>{Image("small", options(Create::always), fill_small),
                                                             Image("large", options(Create::always), fill_large)};
  const std::uint8_t how = input.byte();
  static Files copies[2];
  const std::size_t which = how % 8 == 7 ? 1 : 0;
  const Image& image = (*images)[which];
  Files& files = copies[which];
  image.copy_to(&files);
  Damage damage(files, how >> 3);
  for (int i = input.byte() % 6; i >= 0; --i) damage.apply(input);
  damage.mend();
  // A lock that says this very process holds it is one that lives: everybody waits for it, as they should.
  if (LockWord{control_of(files).lock}.owner() == participant_word()) control_of(files).lock = 0;
  image.write(files);
  Use(input).run(image.name());
}

}  // namespace
}  // namespace ultradict::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ultradict::fuzz::run(ultradict::fuzz::Input(data, size));
  ultradict::fuzz::expect_all_closed();
  return 0;
}
