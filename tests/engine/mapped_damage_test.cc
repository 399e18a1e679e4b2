// SPDX-License-Identifier: Apache-2.0
// Damage to a dict that processes have open: bytes that change between check and use, files that get shorter or full of
// holes under a mapping.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "base/shared_atomic.h"
#include "store/life.h"
#include "store/store.h"
#include "support/child.h"
#include "support/content.h"
#include "support/scale.h"
#include "support/scratch.h"

namespace ultradict::test {
namespace {

constexpr int keys = 200;
void fill(Dict& dict, std::size_t value_size) {
  for (int i = 0; i < keys; ++i) require(dict.put(key(i), marked_value(key(i), 1, value_size)));
  Dict child;
  require(dict.put_new_child("child", &child));
  require(child.put("x", "1"));
  require(dict.put("blob", marked_value("blob", 1, 40'000)));
}

// Ends a child that met a value that was never stored.
void require_right_or_error(const Dict& dict) {
  for (int i = 0; i < keys; ++i) {
    std::string value;
    if (dict.get(key(i), &value)) require(is_marked(key(i), value));
  }
}

// Whether it was done.
bool use(Dict& dict, Random& random) {
  const std::string name = key(random.below(2 * keys));
  std::string value;
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2: {
      const Status status = dict.get(name, &value);
      require(!status || is_marked(name, value));
      return status || status.code() == Code::not_found;
    }
    case 3:
    case 4:
      return static_cast<bool>(dict.put(name, marked_value(name, 2, random.below(900))));
    case 5: {
      const Status status = dict.erase(name);
      return status || status.code() == Code::not_found;
    }
    case 6: {
      Cursor cursor(dict);
      Sighting seen;
      Buffer buffer;
      Record record;
      Status status;
      for (int steps = 0; steps < 1000 && (status = cursor.next(&seen, &buffer, &record)); ++steps) {
      }
      return status || status.code() == Code::not_found;
    }
    case 7: {
      const std::string other = "n" + name;
      const std::string marked = marked_value(name, 3, 40);
      const std::vector<Item> items{{Key{name}, marked}, {Key{other}, name}};
      return static_cast<bool>(dict.put_all(items));
    }
    case 8: {
      Dict child;
      return dict.open_child("child", &child) && child.put(name, name) && dict.put_new_child("child", &child);
    }
    default:
      return random.below(20) == 0 ? static_cast<bool>(dict.clean()) : dict.contains(name).code() != Code::damaged;
  }
}

// Writes into mapped files, anywhere but the lock: a lock whose word names one who lives is waited for.
class Hostile {
 public:
  explicit Hostile(const Dict& dict) : random_(seed()) {
    for (const auto& entry : std::filesystem::directory_iterator(directory_of(dict))) {
      std::error_code gone;  // writers replace files meanwhile
      const std::size_t size = entry.file_size(gone) / sizeof(Word) * sizeof(Word);
      if (gone) continue;
      const int file = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
      if (size == 0 || file < 0) continue;
      files_.push_back({entry.path().filename() == "control", file, size});
    }
  }
  ~Hostile() {
    for (const File& file : files_) ::close(file.descriptor);
  }
  Hostile(const Hostile&) = delete;
  Hostile& operator=(const Hostile&) = delete;

  void write_some() {
    const File& file = random_.below(3) != 0 ? control() : files_[random_.below(files_.size())];
    const std::uint64_t where = file.is_control ? random_.below(3) : 2;
    const Word offset = where == 0
                            ? offsetof(Control, state) + random_.below(sizeof(State) / sizeof(Word)) * sizeof(Word)
                        : where == 1 ? offsetof(Control, segments) + random_.below(24) * sizeof(Word)
                                     : random_.below(file.size / sizeof(Word)) * sizeof(Word);
    if (file.is_control && (offset == offsetof(Control, lock) || offset < sizeof(Identity))) return;
    Word word = 0;
    (void)!::pread(file.descriptor, &word, sizeof word, static_cast<off_t>(offset));
    const Word changed[] = {word ^ Word{1} << random_.below(64), random_.next(), random_.below(300),
                            ~Word{0} - random_.below(100), word + random_.below(64)};
    (void)!::pwrite(file.descriptor, &changed[random_.below(5)], sizeof word, static_cast<off_t>(offset));
    // Nearly all are as they were a moment later: else the first few would end all that can be tried.
    if (random_.below(1000) != 0) (void)!::pwrite(file.descriptor, &word, sizeof word, static_cast<off_t>(offset));
  }

 private:
  struct File {
    bool is_control;
    int descriptor;
    std::size_t size;
  };
  const File& control() const {
    return *std::find_if(files_.begin(), files_.end(), [](const File& file) { return file.is_control; });
  }
  Random random_;
  std::vector<File> files_;
};

TEST(MappedDamage, E8_BytesThatChangeWhileTheyAreUsedAreAnErrorOrData) {
  if (forks_are_slow()) GTEST_SKIP() << "races with a stranger are what is tested";
  SharedNote<std::uint64_t> done;
  const std::uint64_t rounds = scaled(is_sanitized() ? 15 : 40, 3000);
  for (std::uint64_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    const Scratch scratch;
    Dict dict = scratch.open();
    fill(dict, round % 2 == 0 ? 30 : 900);
    Gate begun;
    Child stranger([&] {
      Hostile hostile(dict);
      begun.wait();
      for (;;) hostile.write_some();
    });
    Child user([&] {
      ::alarm(60);
      Random random(seed() * 1000 + round);
      begun.open();
      for (int i = 0; i < 3000; ++i) *done += use(dict, random) ? 1 : 0;
    });
    EXPECT_EQ(user.wait(), 0) << "round " << round << " seed " << seed();
    stranger.kill_and_wait();
  }
  EXPECT_GT(*done, rounds * 30);
  std::cout << "beside a stranger that writes: " << *done << " of " << rounds * 3000 << " operations were done\n";
}

// A page that is behind the end of its file is no memory: who touches it gets SIGBUS from the kernel, and no check can
// prevent that, for the file may get shorter after it. What holds: no wrong value, and who comes next gets an error.
TEST(MappedDamage, E3_FilesCutOffUnderAMappingGiveNoWrongValue) {
  if (forks_are_slow()) GTEST_SKIP() << "many forks";
  int ended_by_bus_error = 0;
  for (const std::string kind : {"control", "segment-", "entries-", "slots-", "blob-"}) {
    for (const double kept : {0.0, 0.001, 0.25, 0.5, 0.999}) {  // of its length
      const Scratch scratch;
      Dict dict = scratch.open();
      fill(dict, 900);
      const std::string directory = directory_of(dict);
      Gate mapped;
      Gate cut;
      Child user([&] {
        ::signal(SIGBUS, SIG_DFL);  // AddressSanitizer would make another end of it
        Dict own = scratch.open("dict", Create::never);
        require_right_or_error(own);
        mapped.open();
        cut.wait();
        require_right_or_error(own);
        for (int i = 0; i < keys; ++i) (void)own.put(key(i), marked_value(key(i), 2, 100));
        require_right_or_error(own);
      });
      mapped.wait();
      int files_cut = 0;
      for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (!entry.path().filename().string().starts_with(kind)) continue;
        const auto size = static_cast<double>(entry.file_size());
        std::filesystem::resize_file(entry.path(), static_cast<std::uintmax_t>(size * kept));
        ++files_cut;
      }
      EXPECT_GT(files_cut, 0) << kind;
      cut.open();
      const int ended = user.wait();
      EXPECT_TRUE(ended == 0 || ended == -SIGBUS) << kind << " cut to " << kept << ": " << ended;
      ended_by_bus_error += ended == -SIGBUS ? 1 : 0;
      // Nobody is stuck on what the other one held.
      const int next = in_child([&] {
        ::signal(SIGBUS, SIG_DFL);
        ::alarm(20);
        Dict own;
        if (Dict::open("dict", scratch.options(Create::never), &own)) require_right_or_error(own);
      });
      EXPECT_TRUE(next == 0 || next == -SIGBUS) << kind << " cut to " << kept << ": " << next;
      (void)dict.unlink();
      // This process still has it mapped: to look at it for the last time would be its end.
      static auto* const kept_open = new std::vector<Dict>;
      kept_open->push_back(std::move(dict));
    }
  }
  std::cout << "files cut off under a mapping: " << ended_by_bus_error
            << " of 25 users ended by SIGBUS, the others met no wrong value\n";
}

// As a damaged count of files has the next one replace one that is mapped.
TEST(MappedDamage, E3_AFileThatIsReplacedByALongerOneIsMappedAnew) {
  const Scratch scratch;
  const Dict dict = scratch.open();
  const auto store = find_open(dict.id());
  constexpr Word number = segments_max - 1;
  constexpr Word file = 777;
  constexpr Word shorter = page_size;
  constexpr Word longer = 2 * page_size;
  const std::string path = directory_of(dict) + "/" + std::string(DictFiles::segment(file));
  SegmentDescriptor& segment = store->control().segments[number];
  segment.file = file;
  segment.capacity = longer;
  segment.size = shorter;
  char* base = nullptr;
  write_file(path, std::string(shorter, 'a'));
  ASSERT_FALSE(store->regions.segment(number, file, shorter, &base));
  ASSERT_TRUE(std::filesystem::remove(path));
  write_file(path, std::string(longer, 'b'));
  segment.size = longer;
  EXPECT_EQ(in_child([&] {
              require(!store->regions.segment(number, file, longer, &base));
              require(base[0] == 'b' && base[longer - 1] == 'b');
            }),
            0);
}

TEST(MappedDamage, E3_HolesUnderAMappingAreAnErrorOrHarmless) {
  if (forks_are_slow()) GTEST_SKIP() << "many forks";
  for (const std::string kind : {"control", "segment-", "entries-", "slots-", "blob-"}) {
    const Scratch scratch;
    Dict dict = scratch.open();
    fill(dict, 900);
    EXPECT_EQ(in_child([&] {
                ::alarm(20);
                Dict own = scratch.open("dict", Create::never);
                require_right_or_error(own);
                for (const auto& entry : std::filesystem::directory_iterator(directory_of(own))) {
                  if (!entry.path().filename().string().starts_with(kind)) continue;
                  const int file = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
                  require(::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 16384 % entry.file_size(),
                                      static_cast<off_t>(entry.file_size())) == 0);
                  ::close(file);
                }
                require_right_or_error(own);
                for (int i = 0; i < keys; ++i) (void)own.put(key(i), marked_value(key(i), 2, 100));
                require_right_or_error(own);
              }),
              0)
        << kind;
  }
}

}  // namespace
}  // namespace ultradict::test
