// SPDX-License-Identifier: Apache-2.0
// What the extension keeps per interpreter: the types it made, the exceptions it raises.
// Nothing is static, so that several interpreters of one process may import the module.
//
// Thread safety: everything here is used with the interpreter lock held.
#pragma once

#include <cstdint>
#include <new>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>

#include "convert.h"
#include "lease.h"
#include "ref.h"
#include "under_way.h"

namespace ultradict::python {

struct Session;

// The classes of UltraDict.Exceptions, under the names they have there.
struct ErrorClasses {
  Ref already_closed;
  Ref already_exists;
  Ref cannot_acquire_lock;
  Ref cannot_acquire_lock_timeout;
  Ref cannot_attach;
  Ref full_dump_memory_full;
  Ref parameter_mismatch;
  Ref shared_memory_full;
  Ref damaged;
  Ref other_format;
  Ref forbidden;
  Ref unsupported;
  Ref system_failure;
  Ref internal_error;
  Ref invalid_parameter;
  Ref dict_deleted;
  Ref cyclic_reference;

  bool load();
  int traverse(visitproc visit, void* arg);
  void clear();
};

// Of dicts, under way: the number of the thread, Dict::id, ChildId::born.
using Reprs = std::set<std::tuple<std::uint64_t, std::string, std::uint64_t>>;

struct ModuleState {
  ConvertState convert;
  ErrorClasses errors;
  Ref dict_type;
  Ref handle_type;  // the class UltraDict: what nested dicts are handed out as
  Ref lock_type;
  Ref lock_request_type;
  Ref keys_type;
  Ref values_type;
  Ref items_type;
  Ref iterator_type;
  Ref shared_bytes_type;
  Ref common_type;
  Ref elsewhere;          // the only key in the storage of the `dict` base
  LazyRef mapping_class;  // collections.abc.Mapping

  UnderWay under_way;
  std::uint64_t handles_pickled = 0;  // so far: whether a value holds a handle shows while it is encoded

  Reprs reprs;

  Spare<Buffer> spare_buffer;

  int traverse(visitproc visit, void* arg);
  void clear();
};

// `guarded<function>` stands in a table of CPython's, which is C, for a function in which C++ may want memory: what it
// throws then becomes MemoryError. A thread that is unwound passes through.
template <auto function>
struct Guarded;
template <class Result, class... Parameters, Result (*function)(Parameters...)>
struct Guarded<function> {
  static_assert(std::is_pointer_v<Result> || std::is_signed_v<Result>);
  static Result call(Parameters... parameters) {
    try {
      return function(parameters...);
    } catch (const std::bad_alloc&) {
      PyErr_NoMemory();
      if constexpr (std::is_pointer_v<Result>)
        return nullptr;
      else
        return -1;
    }
  }
};
template <auto function>
inline constexpr auto guarded = Guarded<function>::call;

// Whatever its parameters are, as its flags in the table say.
template <class Function>
PyCFunction method(Function function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}
constexpr int words_too = METH_VARARGS | METH_KEYWORDS;

// tp_new of the types that only this module makes instances of.
inline PyObject* refuse_new(PyTypeObject* type, PyObject*, PyObject*) {
  return PyErr_Format(PyExc_TypeError, "cannot create '%.200s' instances", type->tp_name);
}

// The state behind `type`, which is one of the module's types or derived from one; null with an exception.
ModuleState* module_state_of(PyTypeObject* type);
ModuleState* state_of_module(PyObject* module);

}  // namespace ultradict::python
