// SPDX-License-Identifier: Apache-2.0
// station <dict> <city> <count>: a weather station in C++. It attaches to a dict that a Python program made
// (weather.py) and reads its settings there. It writes each reading under the key (city, number) and counts it,
// together with all other stations and programs, under the lock.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "ultradict/dict.h"
#include "ultradict/value.h"

namespace {

using ultradict::Dict;
using ultradict::Status;
using ultradict::Tuple;

Status attach(const char* name, Dict* dict) {
  ultradict::Options options;
  options.create = ultradict::Create::never;
  return Dict::open(name, options, dict);
}

// The counter belongs to everyone: read and write it with nobody in between.
Status count_reading(Dict& weather) {
  const ultradict::LockGuard guard(weather);
  if (!guard.status()) return Status(guard.status().code(), guard.status().message());
  const auto readings = ultradict::get<std::int64_t>(weather, "readings");
  return ultradict::put(weather, "readings", readings.value_or(0) + 1);
}

Status measure(Dict& weather, const std::string& city, int count) {
  const double offset = ultradict::get<double>(weather, "offset").value_or(0.0);
  for (int number = 0; number < count; ++number) {
    const double temperature = offset + number % 30;
    if (auto status = ultradict::put(weather, Tuple{{city, number}}, temperature); !status) return status;
    if (auto status = count_reading(weather); !status) return status;
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: station <dict> <city> <count>\n";
    return 2;
  }
  Dict weather;
  Status status = attach(argv[1], &weather);
  if (status) status = measure(weather, argv[2], std::atoi(argv[3]));
  if (!status) std::cerr << "station: " << status.message() << '\n';
  return status ? 0 : 1;
}
