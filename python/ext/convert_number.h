// SPDX-License-Identifier: Apache-2.0
// Which plain number a number of another class equals. Decimal(1), Fraction(1, 1), complex(1) and numpy.int64(1) are
// the key 1 to a Python dict, so they must find it here; whether they are equal is for Python to say, here it is only
// asked.
#pragma once

#include "convert.h"

namespace ultradict::python {

enum class PlainNumber {
  found,    // its canonical form was appended
  none,     // it equals no int and no float
  unknown,  // cannot be told without trying all keys
  error,
};

// 1 if `object` is a numbers.Number whose equality can be trusted to be that of numbers, 0 if not, -1 with an
// exception.
int is_number(ConvertState& state, PyObject* object);

PlainNumber write_plain_number(ConvertState& state, PyObject* number, Scratch* out);

}  // namespace ultradict::python
