// SPDX-License-Identifier: Apache-2.0
// Identity: the constant part of control: made at creation, and what of it is believed on attach.
#pragma once

#include <string_view>

#include "base/fault.h"
#include "layout.h"
#include "os/file.h"
#include "os/text.h"
#include "ultradict/options.h"

namespace ultradict {

// Reads and checks the identity of a control file: format, sizes, checksum. Nothing is mapped.
Fault read_identity(const os::File& control, Identity* identity);

// Of a new dict: random id and secret, places of the parts.
Fault make_identity(std::string_view name, const Options& options, const Word* token_id, Identity* identity);

// The state of an empty dict.
void fill_control(char* base, const Identity& identity);

std::string_view name_of(const Identity& identity);
os::Text<40> id_of(const Identity& identity);

}  // namespace ultradict
