// SPDX-License-Identifier: Apache-2.0
// generate <directory>: makes the golden dict of this build's format version. Run once, when format_version was raised;
// what it made is kept as tests/golden/format-<n> as long as that version lives, and proves that later builds read it.
#include <cstdio>
#include <filesystem>

#include "content.h"

namespace ultradict::golden {

namespace {

Status put(Dict& dict, const StoredItem& item) {
  if (item.is_dict) {
    Dict child;
    if (Status status = dict.put_new_child(item.key.canonical, &child); !status) return status;
    return put(child, inner_item());
  }
  Sighting written;
  return dict.put(Key{item.key.canonical, item.key.face, item.key.exotic}, item.value, &written);
}

Status fill(Dict& dict) {
  const std::vector<StoredItem> all = items();
  const StoredItem gone{plain("gone"), encoded("deleted")};
  const StoredItem first_price{all[1].key, encoded(1)};
  if (Status status = put(dict, all[0]); !status) return status;
  if (Status status = put(dict, first_price); !status) return status;
  if (Status status = put(dict, gone); !status) return status;
  for (std::size_t number = 2; number + 1 < all.size(); ++number) {
    if (Status status = put(dict, all[number]); !status) return status;
  }
  if (Status status = put(dict, all[1]); !status) return status;
  if (Status status = dict.erase(gone.key.canonical); !status) return status;
  return put(dict, all.back());
}

Status generate(const std::string& directory) {
  Options options;
  options.create = Create::always;
  options.directory = directory;
  options.buffer_size = 1;
  options.auto_unlink = false;
  options.attributes = attributes;
  Dict dict;
  if (Status status = Dict::open(name, options, &dict); !status) return status;
  if (Status status = fill(dict); !status) return status;
  return dict.close();
}

}  // namespace

}  // namespace ultradict::golden

int main(int count, char** arguments) {
  if (count != 2 || std::filesystem::exists(arguments[1])) {
    std::fputs("usage: generate <directory that does not exist yet>\n", stderr);
    return 2;
  }
  const ultradict::Status status = ultradict::golden::generate(arguments[1]);
  if (!status) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status ? 0 : 1;
}
