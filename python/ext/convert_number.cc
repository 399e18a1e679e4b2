// SPDX-License-Identifier: Apache-2.0
// Candidates for the plain number that a Decimal, Fraction, complex or NumPy scalar equals, each put to Python.
#include "convert_number.h"

#include <cmath>

#include "convert_write.h"

namespace ultradict::python {

namespace {

int is_instance(PyObject* object, LazyRef* kept, const char* class_name) {
  PyObject* type = ConvertState::imported(kept, "numbers", class_name);
  return type == nullptr ? -1 : PyObject_IsInstance(object, type);
}

// Whether the class compares in C (numpy.float64). A Python class derived from int or float that defines __eq__ does so
// because it wants to be equal to other things than the number it holds.
bool compares_in_c(PyObject* object) {
  Ref method = Ref::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(object)), "__eq__"));
  if (!method) PyErr_Clear();
  return method && Py_IS_TYPE(method.get(), &PyWrapperDescr_Type);
}

// A conversion that this class does not offer, or not for this value. Anything worse stays raised.
PlainNumber conversion_failed() {
  if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)) return PlainNumber::error;
  PyErr_Clear();
  return PlainNumber::unknown;
}

// What a dict asks: the same hash, and equal.
PlainNumber same_key(PyObject* candidate, PyObject* number) {
  const Py_hash_t hash = PyObject_Hash(number);
  if (hash == -1 && PyErr_Occurred()) return PlainNumber::error;
  if (hash != PyObject_Hash(candidate)) return PlainNumber::none;
  const int equal = PyObject_RichCompareBool(candidate, number, Py_EQ);
  if (equal < 0) return PlainNumber::error;
  return equal ? PlainNumber::found : PlainNumber::none;
}

bool write_float_as_key(double number, Scratch* out) {
  char* at = out->room(float_key_size_max);
  if (at == nullptr) return false;
  out->advance_to(write_float_key(at, number));
  return true;
}

PlainNumber try_float(double value, PyObject* number, Scratch* out) {
  if (std::isnan(value)) return PlainNumber::none;
  Ref candidate = Ref::steal(PyFloat_FromDouble(value));
  if (!candidate) return PlainNumber::error;
  const PlainNumber answer = same_key(candidate.get(), number);
  if (answer == PlainNumber::found && !write_float_as_key(value, out)) return PlainNumber::error;
  return answer;
}

PlainNumber try_integer(PyObject* number, Scratch* out) {
  Ref candidate = Ref::steal(PyNumber_Long(number));
  if (!candidate) return conversion_failed();
  const PlainNumber answer = same_key(candidate.get(), number);
  if (answer == PlainNumber::found && !write_integer(candidate.get(), out)) return PlainNumber::error;
  return answer;
}

// A float first, which is cheap and right for most; then an integer, unless the number is so large that its digits
// might not fit in memory (Decimal('1E+999999999')). A rational has its digits in memory already.
PlainNumber write_real(ConvertState& state, PyObject* number, Scratch* out) {
  Ref converted = Ref::steal(PyNumber_Float(number));
  const bool overflow = !converted && PyErr_ExceptionMatches(PyExc_OverflowError);
  if (overflow) PyErr_Clear();
  if (!converted && !overflow) return conversion_failed();
  const double value = overflow ? HUGE_VAL : PyFloat_AS_DOUBLE(converted.get());
  if (const PlainNumber answer = try_float(value, number, out); answer != PlainNumber::none) return answer;
  if (std::isnan(value)) return PlainNumber::none;
  if (std::isinf(value)) {
    const int rational = is_instance(number, &state.rational_class, "Rational");
    if (rational <= 0) return rational < 0 ? PlainNumber::error : PlainNumber::unknown;
  }
  return try_integer(number, out);
}

PlainNumber write_complex(PyObject* number, Scratch* out) {
  const Py_complex value = PyComplex_AsCComplex(number);
  if (value.real == -1.0 && PyErr_Occurred()) return conversion_failed();
  return value.imag == 0 ? try_float(value.real, number, out) : PlainNumber::none;
}

// 1, 0, or -1 with an exception.
int has_imaginary_part(ConvertState& state, PyObject* number) {
  if (PyComplex_Check(number)) return 1;
  const int is_complex = is_instance(number, &state.complex_class, "Complex");
  if (is_complex <= 0) return is_complex;
  const int is_real = is_instance(number, &state.real_class, "Real");
  return is_real < 0 ? -1 : !is_real;
}

}  // namespace

int is_number(ConvertState& state, PyObject* object) {
  if (PyLong_Check(object) || PyFloat_Check(object) || PyComplex_Check(object)) return compares_in_c(object);
  return is_instance(object, &state.number_class, "Number");
}

PlainNumber write_plain_number(ConvertState& state, PyObject* number, Scratch* out) {
  if (PyObject_Hash(number) == -1 && PyErr_Occurred()) return PlainNumber::error;
  const int imaginary = has_imaginary_part(state, number);
  if (imaginary < 0) return PlainNumber::error;
  return imaginary ? write_complex(number, out) : write_real(state, number, out);
}

}  // namespace ultradict::python
