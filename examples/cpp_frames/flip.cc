// SPDX-License-Identifier: Apache-2.0
// flip <dict>: turns the picture under "frame", which Python wrote (flip.py), upside down, and puts it as "flipped".
//
// Its rows go straight from the one value to the other, both in shared memory: nothing is copied in between. How many
// bytes a row has is said by the dict, under "row_size".
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <vector>

#include "ultradict/large_bytes.h"

namespace {

using ultradict::Bytes;
using ultradict::Dict;
using ultradict::Status;

// Whole rows; the last ones first.
std::vector<Bytes> rows_from_below(Bytes picture, std::size_t row_size) {
  std::vector<Bytes> rows;
  for (std::size_t at = 0; at + row_size <= picture.size(); at += row_size)
    rows.push_back(picture.substr(at, row_size));
  std::reverse(rows.begin(), rows.end());
  return rows;
}

Status flip(Dict& dict) {
  const std::uint64_t row_size = ultradict::get<std::uint64_t>(dict, "row_size").value_or(0);
  if (row_size == 0) return Status(ultradict::Code::invalid_argument, "no row_size in the dict");
  ultradict::MappedBytes frame;
  if (Status status = ultradict::map(dict, "frame", &frame); !status) return status;
  return ultradict::put_bytes(dict, "flipped", rows_from_below(frame.bytes(), row_size));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: flip <dict>\n";
    return 2;
  }
  ultradict::Options options;
  options.create = ultradict::Create::never;
  Dict dict;
  Status status = Dict::open(argv[1], options, &dict);
  if (status) status = flip(dict);
  if (!status) std::cerr << "flip: " << (status.message().empty() ? "no frame in the dict" : status.message()) << '\n';
  return status ? 0 : 1;
}
