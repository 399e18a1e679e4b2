// SPDX-License-Identifier: Apache-2.0
// The rival that several processes can share: LMDB in /dev/shm, told to sync nothing (MDB_NOSYNC, MDB_NOMETASYNC) and
// to write through its mapping (MDB_WRITEMAP). In two forms: a transaction for every operation, which is what one
// visible change costs, and one transaction for all writes and one for all reads, which is the least it can cost.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

#include "store.h"

namespace bench {

class LmdbEnvironment {
 public:
  LmdbEnvironment() {
    char pattern[] = "/dev/shm/bench_lmdb_XXXXXX";
    if (mkdtemp(pattern) == nullptr) fail("lmdb: no directory in /dev/shm");
    directory_ = pattern;
    require(mdb_env_create(&env_));
    require(mdb_env_set_mapsize(env_, map_size));
    require(mdb_env_open(env_, pattern, MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP, 0600));
    MDB_txn* transaction = begin(0);
    require(mdb_dbi_open(transaction, nullptr, MDB_INTEGERKEY, &dbi_));
    require(mdb_txn_commit(transaction));
  }
  LmdbEnvironment(const LmdbEnvironment&) = delete;
  LmdbEnvironment& operator=(const LmdbEnvironment&) = delete;
  ~LmdbEnvironment() {
    mdb_env_close(env_);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  MDB_txn* begin(unsigned flags) {
    MDB_txn* transaction = nullptr;
    require(mdb_txn_begin(env_, nullptr, flags, &transaction));
    return transaction;
  }
  void put(MDB_txn* transaction, std::int64_t key, std::int64_t value) {
    MDB_val key_bytes{sizeof key, &key};
    MDB_val value_bytes{sizeof value, &value};
    require(mdb_put(transaction, dbi_, &key_bytes, &value_bytes, 0));
  }
  std::int64_t get(MDB_txn* transaction, std::int64_t key) {
    MDB_val key_bytes{sizeof key, &key};
    MDB_val value_bytes{};
    require(mdb_get(transaction, dbi_, &key_bytes, &value_bytes));
    std::int64_t value = 0;
    std::memcpy(&value, value_bytes.mv_data, sizeof value);
    return value;
  }
  std::uint64_t count() {
    MDB_stat stat;
    require(mdb_env_stat(env_, &stat));
    return stat.ms_entries;
  }
  static void require(int code) {
    if (code != MDB_SUCCESS) fail(std::string("lmdb: ") + mdb_strerror(code));
  }

 private:
  static constexpr std::size_t map_size = std::size_t{4} << 30;

  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
  std::string directory_;
};

class StoreLmdbTransactionEach {
 public:
  static constexpr const char* name = "lmdb, transaction each";
  static std::string version() { return MDB_VERSION_STRING; }

  void put(std::int64_t key, std::int64_t value) {
    MDB_txn* transaction = environment_.begin(0);
    environment_.put(transaction, key, value);
    LmdbEnvironment::require(mdb_txn_commit(transaction));
  }
  std::int64_t get(std::int64_t key) {
    MDB_txn* transaction = environment_.begin(MDB_RDONLY);
    const std::int64_t value = environment_.get(transaction, key);
    mdb_txn_abort(transaction);
    return value;
  }
  std::uint64_t count() { return environment_.count(); }
  void finish_writing() {}

 private:
  LmdbEnvironment environment_;
};

class StoreLmdbOneTransaction {
 public:
  static constexpr const char* name = "lmdb, one transaction";
  static std::string version() { return MDB_VERSION_STRING; }

  StoreLmdbOneTransaction() = default;
  StoreLmdbOneTransaction(const StoreLmdbOneTransaction&) = delete;
  StoreLmdbOneTransaction& operator=(const StoreLmdbOneTransaction&) = delete;
  ~StoreLmdbOneTransaction() {
    if (reading_ != nullptr) mdb_txn_abort(reading_);
    if (writing_ != nullptr) mdb_txn_abort(writing_);
  }

  void put(std::int64_t key, std::int64_t value) {
    if (writing_ == nullptr) writing_ = environment_.begin(0);
    environment_.put(writing_, key, value);
  }
  std::int64_t get(std::int64_t key) {
    if (reading_ == nullptr) reading_ = environment_.begin(MDB_RDONLY);
    return environment_.get(reading_, key);
  }
  std::uint64_t count() { return environment_.count(); }
  void finish_writing() {
    LmdbEnvironment::require(mdb_txn_commit(writing_));
    writing_ = nullptr;
    if (reading_ != nullptr) mdb_txn_abort(reading_);  // it would go on reading what was there before
    reading_ = nullptr;
  }

 private:
  LmdbEnvironment environment_;
  MDB_txn* writing_ = nullptr;
  MDB_txn* reading_ = nullptr;
};

}  // namespace bench
