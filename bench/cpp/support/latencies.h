// SPDX-License-Identifier: Apache-2.0
// How long each of many operations took: counted in buckets whose bounds are 1/16 apart, so no quantile is off by more
// than that. It may lie in shared memory.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdio>
#include <string>

namespace bench {

class Latencies {
 public:
  void add(std::int64_t ns) {
    const auto value = static_cast<std::uint64_t>(ns < 0 ? 0 : ns);
    ++buckets_[bucket_of(value)];
    ++count_;
    if (value > longest_) longest_ = value;
  }
  void add(const Latencies& other) {
    for (int bucket = 0; bucket < bucket_count; ++bucket) buckets_[bucket] += other.buckets_[bucket];
    count_ += other.count_;
    if (other.longest_ > longest_) longest_ = other.longest_;
  }
  std::uint64_t count() const { return count_; }
  std::uint64_t longest() const { return longest_; }
  // Below which that share of them lies.
  std::uint64_t quantile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t passed = 0;
    for (int bucket = 0; bucket < bucket_count; ++bucket) {
      passed += buckets_[bucket];
      if (passed > wanted) return end_of(bucket);
    }
    return longest_;
  }

  // As the programs print them: columns of a table, in nanoseconds, and the members of an object.
  static constexpr const char* heading = "    p50 ns     p99 ns   p99.9 ns       max ns";
  std::string columns() const { return printed("%10llu %10llu %10llu %12llu"); }
  std::string json() const { return printed("\"p50\": %llu, \"p99\": %llu, \"p99.9\": %llu, \"max\": %llu"); }

 private:
  std::string printed(const char* format) const {
    char text[160];
    const auto number = [&](double share) { return static_cast<unsigned long long>(quantile(share)); };
    std::snprintf(text, sizeof text, format, number(0.5), number(0.99), number(0.999),
                  static_cast<unsigned long long>(longest_));
    return text;
  }

  static constexpr int parts_log2 = 4;  // of each power of two
  static constexpr int parts = 1 << parts_log2;
  static constexpr int bucket_count = 60 * parts;

  static int bucket_of(std::uint64_t value) {
    if (value < parts) return static_cast<int>(value);
    const int shift = static_cast<int>(std::bit_width(value)) - 1 - parts_log2;
    return (shift << parts_log2) + static_cast<int>(value >> shift);
  }
  static std::uint64_t end_of(int bucket) {
    if (bucket < 2 * parts) return static_cast<std::uint64_t>(bucket);
    const int shift = (bucket >> parts_log2) - 1;
    return static_cast<std::uint64_t>(parts + (bucket & (parts - 1)) + 1) << shift;
  }

  std::uint64_t buckets_[bucket_count] = {};
  std::uint64_t count_ = 0;
  std::uint64_t longest_ = 0;
};

}  // namespace bench
