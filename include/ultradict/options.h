// SPDX-License-Identifier: Apache-2.0
// Options: how to open a dict. What only its creator decides is recorded in the dict; who attaches takes the recorded
// value.
#pragma once

#include <cstdint>
#include <string>

namespace ultradict {

enum class Create : std::uint8_t {
  if_missing,  // attach if the name exists, else create
  always,      // create; Code::already_exists if the name exists
  never,       // attach; Code::no_such_dict if it does not
};

struct Options {
  Create create = Create::if_missing;

  // Where dicts live. Empty: $ULTRADICT_DIR if set, else /dev/shm/ultradict-<uid>, made with mode 0700.
  std::string directory = {};

  // Not empty: attach to the dict of this id (Dict::id) and to no other that has its name by now; else
  // Code::no_such_dict.
  std::string id = {};

  // Sightings of this handle will be asked after a clear(), too: what they point to stays mapped until
  // release_old_tables().
  bool keeps_sightings = false;

  // --- decided by the creator ---
  std::uint64_t buffer_size =
      10'000;  // bytes set aside at creation for records, at most 513 KiB; the period of the stream counters; < 2^32
  std::uint64_t full_dump_size = 0;  // hard bound on encoded keys and values, in bytes; 0 = none
  std::uint64_t max_bytes = 0;       // hard bound on all files of the dict, set aside at creation; 0 = none
  bool auto_unlink = true;           // it ends with its creator: the last handle of that process, or the process
  unsigned mode = 0600;              // permission bits of every file, independent of umask; 0600 must be among them
  // Opaque to the engine, at most attributes_size_max bytes; Dict::attributes() returns it. Python records its
  // parameters there, and takes a dict without any as one that was made without parameters.
  std::string attributes = {};
};

inline constexpr std::uint64_t max_bytes_min = 64 * 1024;    // the least that max_bytes can be
inline constexpr std::uint64_t attributes_size_max = 1024;   // bytes
inline constexpr std::uint64_t name_size_max = 255;          // bytes of a dict's name; no '/' and no NUL in it
inline constexpr std::uint64_t key_size_max = 1ULL << 30;    // bytes of an encoded key
inline constexpr std::uint64_t value_size_max = 1ULL << 40;  // bytes of an encoded value
inline constexpr std::uint64_t blob_size_min = 32 * 1024;    // a value larger than this has a file of its own

}  // namespace ultradict
