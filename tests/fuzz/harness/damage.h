// SPDX-License-Identifier: Apache-2.0
// Damage: what an input says that happened to the files of an image. The parts of a dict are named, not bytes, so that
// few bytes of input reach them all; and what guards them can be made right again, for damage behind right checksums.
#pragma once

#include <vector>

#include "harness/image.h"
#include "harness/input.h"

namespace ultradict::fuzz {

class Damage {
 public:
  // Bits of `mends`.
  static constexpr unsigned mend_identity = 1, mend_records = 2, mend_journal = 4, mend_slots = 8;

  Damage(Files& files, unsigned mends);

  // One part is changed as the input says.
  void apply(Input& input);
  // Computes anew what `mends` names.
  void mend();

 private:
  struct RecordPlace {
    std::string* bytes;  // of its file
    Word offset;
  };
  Control& control() { return *reinterpret_cast<Control*>(control_bytes_->data()); }
  std::string* bytes_of(const std::string& file);
  Word* entry_words(Word number);
  Word* slot_words(Word number);
  Word altered(Input& input, Word now);
  void alter(Input& input, Word* word);
  void alter_slot(Input& input);
  void alter_record(Input& input);
  void alter_journal(Input& input);
  void alter_file(Input& input);
  void find_records();

  Files& files_;
  const Identity identity_;  // as it was
  unsigned mends_;
  Word slots_count_ = 0;
  Word entries_used_ = 0;
  // Null: there is no such file.
  std::string* control_bytes_;
  std::string* slots_bytes_ = nullptr;
  std::string* entries_bytes_ = nullptr;
  std::vector<RecordPlace> records_;
};

}  // namespace ultradict::fuzz
