// SPDX-License-Identifier: Apache-2.0
// A process dies at every moment of a dict's life from without: when it is created, attached to, unlinked and left.
// Nobody ever meets one that is half-made, and nothing of it is left over once somebody has looked.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "crashes/closure.h"
#include "crashes/file_calls.h"
#include "crashes/scenario.h"
#include "support/child.h"

namespace ultradict::test {
namespace {

namespace fs = std::filesystem;

enum Found : int { nothing = 0, new_dict = 1, old_dict = 2 };

const Content old_content = {{"k", "v"}, {"b", blob('b')}};

// Two names: "dict", of which it is about, and "other", which somebody opens to sweep.
class Life {
 public:
  using Act = std::function<void(const std::string& directory, const std::function<void()>& acknowledge)>;

  // `made` before: a dict of that name that outlives its creator, or dies with it.
  Life& with_old(bool is_mortal) {
    has_old_ = true;
    is_mortal_ = is_mortal;
    return *this;
  }

  void explore(Act act, std::vector<int> outcomes) {
    if (forks_are_slow()) GTEST_SKIP() << "thousands of dicts";
    Closure({[this](const std::string& directory) { prepare(directory); }, [this] { let_go(); }, std::move(act),
             [this](const std::string& directory) { return recover(directory); },
             [this](const std::string& directory) { return judge(directory); }, std::move(outcomes)})
        .explore();
  }

  static Options options(const std::string& directory, Create create, bool is_mortal = false) {
    Options options;
    options.directory = directory;
    options.create = create;
    options.auto_unlink = is_mortal;
    return options;
  }

 private:
  void prepare(const std::string& directory) {
    EXPECT_TRUE(Dict::open("other", options(directory, Create::always), &other_));
    if (!has_old_) return;
    EXPECT_TRUE(Dict::open("dict", options(directory, Create::always, is_mortal_), &dict_));
    for (const auto& [key, value] : old_content) EXPECT_TRUE(dict_.put(key, value));
  }

  void let_go() {
    dict_ = Dict();
    other_ = Dict();
  }

  std::string recover(const std::string& directory) {
    const Status sweeping = Dict::open("other", options(directory, Create::never), &other_);
    if (!sweeping) return "other: " + sweeping.message();
    const Status status = Dict::open("dict", options(directory, Create::never), &dict_);
    return status || status.code() == Code::no_such_dict ? "" : "dict: " + status.message();
  }

  Verdict judge(const std::string& directory) {
    const std::size_t dicts = dict_.is_open() ? 2 : 1;
    const std::string left = list(directory + "/d", dicts) + list(directory + "/n", dicts) + strangers(directory);
    if (!left.empty() || !dict_.is_open()) return {nothing, left};
    const Content content = content_of(dict_);
    const std::string broken = unsoundness_of(dict_) + orphans_of(dict_);
    if (content == old_content) return {old_dict, broken};
    if (!content.empty()) return {-1, "half a content:\n" + summary_of(content)};
    const Status status = dict_.put("after", "it goes on");
    return {new_dict, broken + (status ? "" : status.message())};
  }

  static std::string list(const std::string& path, std::size_t expected) {
    std::string all;
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(path)) {
      all += " " + entry.path().string();
      ++count;
    }
    return count == expected ? "" : "not " + std::to_string(expected) + ":" + all + "\n";
  }

  static std::string strangers(const std::string& directory) {
    static const std::set<std::string> known{"token", "lock", "d", "n"};
    std::string all;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (!known.contains(entry.path().filename())) all += "left over: " + entry.path().string() + "\n";
    }
    return all;
  }

  bool has_old_ = false;
  bool is_mortal_ = false;
  Dict dict_;
  Dict other_;
};

Life::Act create_and_close(const Options& given) {
  return [given](const std::string& directory, const std::function<void()>& acknowledge) {
    Options options = given;
    options.directory = directory;
    Dict dict;
    const Status status = Dict::open("dict", options, &dict);
    EXPECT_TRUE(status) << status.message();
    acknowledge();
    EXPECT_TRUE(dict.close());
    acknowledge();
  };
}

TEST(CrashInALife, A1_A2_A8_CreatingADict) {
  Life().explore(create_and_close(Life::options("", Create::always)), {nothing, new_dict, new_dict});
}

TEST(CrashInALife, A1_A2_A8_CreatingADictWithMemorySetAside) {
  Options options = Life::options("", Create::always);
  options.max_bytes = 1024 * 1024;
  options.full_dump_size = 400'000;
  Life().explore(create_and_close(options), {nothing, new_dict, new_dict});
}

TEST(CrashInALife, A1_A2_A8_H5_CreatingADictThatEndsWithItsCreator) {
  Life().explore(create_and_close(Life::options("", Create::always, true)), {nothing, nothing, nothing});
}

TEST(CrashInALife, A1_A2_A8_H5_CreatingInPlaceOfOneWhoseCreatorDied) {
  Life().with_old(true).explore(create_and_close(Life::options("", Create::if_missing)), {nothing, new_dict, new_dict});
}

TEST(CrashInALife, A1_A2_A8_CreatingWhatIsThere) {
  Life().with_old(false).explore(
      [](const std::string& directory, const std::function<void()>& acknowledge) {
        Dict dict;
        EXPECT_EQ(Dict::open("dict", Life::options(directory, Create::always), &dict).code(), Code::already_exists);
        acknowledge();
      },
      {old_dict, old_dict});
}

TEST(CrashInALife, A1_A2_H5_Unlinking) {
  Life().with_old(false).explore(
      [](const std::string& directory, const std::function<void()>& acknowledge) {
        EXPECT_TRUE(Dict::unlink("dict", directory));
        acknowledge();
      },
      {old_dict, nothing});
}

TEST(CrashInALife, A1_A2_H5_UnlinkingWhatIsOpenAndClosing) {
  Life().with_old(false).explore(
      [](const std::string& directory, const std::function<void()>& acknowledge) {
        Dict dict;
        EXPECT_TRUE(Dict::open("dict", Life::options(directory, Create::never), &dict));
        acknowledge();
        EXPECT_TRUE(dict.unlink());
        acknowledge();
        EXPECT_TRUE(dict.put("unseen", blob('u')));
        EXPECT_TRUE(dict.close());
        acknowledge();
      },
      {old_dict, old_dict, nothing, nothing});
}

// Nothing is there, not even the token file: the first participant makes it and claims the first number in it.
class FirstOfADirectory {
 public:
  void explore() {
    if (forks_are_slow()) GTEST_SKIP() << "thousands of dicts";
    World world{[](const std::string&) {},
                [this] { dict_ = Dict(); },
                act,
                [this](const std::string& directory) { return recover(directory); },
                [this](const std::string& directory) { return judge(directory); },
                {0, 0, 1, 1}};
    world.deaths_max = 3;  // each may leave a dict half-made; the sweep comes when one has been created
    Closure(std::move(world), 2000).explore();
    leave_random_bytes_to_chance();
  }

 private:
  static void act(const std::string& directory, const std::function<void()>& acknowledge) {
    choose_random_bytes(1);
    Dict dict;
    EXPECT_TRUE(Dict::open("dict", Life::options(directory, Create::if_missing), &dict));
    acknowledge();
    EXPECT_TRUE(dict.put("k", "v"));
    acknowledge();
    EXPECT_TRUE(dict.close());
    acknowledge();
  }

  // Random, but never the id of what a dead one left.
  std::string recover(const std::string& directory) {
    std::error_code missing;
    const auto dicts = std::distance(fs::directory_iterator(directory + "/d", missing), fs::directory_iterator());
    choose_random_bytes(2 + static_cast<std::uint64_t>(dicts));
    const Status status = Dict::open("dict", Life::options(directory, Create::if_missing), &dict_);
    return status ? "" : status.message();
  }

  Verdict judge(const std::string& directory) {
    std::string left = unsoundness_of(dict_) + orphans_of(dict_);
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.path().filename().string().starts_with("token-")) left += "left over: " + entry.path().string();
    }
    for (const auto& entry : fs::directory_iterator(directory + "/d")) {
      if (entry.path() != directory_of(dict_)) left += "left over: " + entry.path().string();
    }
    return {static_cast<int>(dict_.count()), left};
  }

  Dict dict_;
};

TEST(CrashInALife, A1_A2_A8_CreatingTheFirstDictOfADirectory) { FirstOfADirectory().explore(); }

}  // namespace
}  // namespace ultradict::test
