// SPDX-License-Identifier: Apache-2.0
// Python objects <-> the bytes that the engine stores (ultradict/encoding.h): everything the rest of the extension
// needs to know about encodings.
//
// Errors: a function that fails has raised a Python exception. What `dumps`, `loads`, `__hash__`, `__reduce__` and
// their like raise propagates unchanged.
//
// Thread safety: a Scratch belongs to one thread at a time (one that releases the interpreter lock between filling and
// using it must own it alone). ConvertState may be used by all threads. Encoding anything but plain keys may run Python
// code.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "convert_scratch.h"
#include "encoded.h"
#include "ref.h"
#include "ultradict/bytes.h"
#include "ultradict/encoding.h"

namespace ultradict::python {

// What conversions keep per module (never static: each interpreter has its own). The exception classes are set by the
// module when it is made; a missing one is replaced by ValueError or PermissionError. The rest fills itself.
struct ConvertState {
  Ref damaged_error;    // stored bytes contradict themselves
  Ref forbidden_error;  // allow_pickle=False refuses
  Ref mismatch_error;   // the recorded serializer cannot be had

  LazyRef pickle_dumps;
  LazyRef pickle_loads;
  LazyRef pickle_error;
  LazyRef number_class;    // numbers.Number
  LazyRef complex_class;   // numbers.Complex
  LazyRef real_class;      // numbers.Real
  LazyRef rational_class;  // numbers.Rational
  LazyRef urandom;

  // The attribute `name` of a module, imported at first use and kept in `kept`; borrowed.
  static PyObject* imported(LazyRef* kept, const char* module, const char* name);

  // Raise the exception above that fits; null, for the convenience of who returns it.
  PyObject* raise_damaged(const char* message) const;
  PyObject* raise_forbidden(const char* message) const;
  PyObject* raise_pickled_value() const;  // which allow_pickle=False forbids

  int traverse(visitproc visit, void* arg) const;
  void clear();
};

// ---- keys ----

// How a key finds its entry.
//   plain        by its canonical bytes; if that misses, among the exotic keys (if there are any)
//   plain_like   an instance of a subclass that inherits == and hash of its plain base (IntEnum, namedtuple), or a
//                tuple or frozenset that holds one: by the canonical bytes of the plain key it equals, under which it
//                is stored, too; then among the exotic keys
//   number_like  a numbers.Number (Decimal, Fraction, complex, NumPy scalars), or a tuple or frozenset that holds one:
//                by the canonical bytes of the plain key it equals, which was found with Python's own == and hash, if
//                it equals one; then among the exotic keys
//   exotic       every other hashable: only Python can compare it, with every key there is
//   error        an exception was raised: unhashable, or its __hash__ or __eq__ raised
enum class KeyKind { plain, plain_like, number_like, exotic, error };

// Of a key that is not there yet: whether only Python finds it again.
inline bool is_exotic(KeyKind kind) { return kind == KeyKind::number_like || kind == KeyKind::exotic; }

// `canonical` and `face` are cleared first, then
//   plain                    canonical: its canonical form; face: empty when decoding `canonical` gives back exactly
//                            this object, else the encoding of the key as inserted (True, 1.0, -0.0, (1, True))
//   plain_like               canonical: that of the plain key it equals; face: empty, see encode_face
//   number_like              canonical: likewise, or empty if it equals none; face: empty
//   exotic, error            both empty
// NaN, and whatever holds one, is exotic: it equals only itself.
KeyKind encode_key(ConvertState& state, PyObject* key, Scratch* canonical, Scratch* face);

// The face of a key that is stored as plain_like: Tag::pickle and the pickle.
bool encode_face(ConvertState& state, PyObject* key, Scratch* face);

// How any other key that is not plain is stored: canonical = Tag::unique and 16 random bytes, face as above.
// Key::exotic is to be set with it.
bool encode_exotic_key(ConvertState& state, PyObject* key, Scratch* canonical, Scratch* face);

// Whether the key that was inserted must be unpickled, though its canonical form may be that of a plain one.
inline bool is_pickled(Bytes face) { return !face.empty() && static_cast<Tag>(face.front()) == Tag::pickle; }

// The key object as it was inserted; a new reference.
PyObject* decode_key(ConvertState& state, Bytes canonical, Bytes face, bool allow_pickle);

// ---- serializers ----

// How the values of a dict become bytes.
struct Serializer {
  ConvertState* state = nullptr;
  Ref object;                   // as the user gave it; null for the default (see serializer_object)
  Ref dumps;                    // null for the default
  Ref loads;                    // null for the default
  std::string name = "pickle";  // what is recorded in the dict, see resolve_serializer
  bool is_default = true;       // pickle: the typed encoding, and pickle protocol 5 for what has none
  bool allow_pickle = true;     // false: nothing is unpickled

  Serializer copy() const;
  int traverse(visitproc visit, void* arg) const;
  void clear();  // back to the default
  // Nothing is encoded or decoded with it any more: no cycle leads through here.
  void drop_objects();
};

// From the object given as `serializer=`. Null, None and the module pickle mean the default, for which nothing is
// imported. The recorded name is that of the module ("json"), of a class with static dumps and loads "module:Class", of
// an instance "module:Class()": the last says who is meant but cannot be imported. TypeError if dumps or loads is
// missing.
bool resolve_serializer(ConvertState& state, PyObject* object, bool allow_pickle, Serializer* serializer);

// From the name recorded in a dict that is attached without a serializer. What cannot be imported raises mismatch_error
// and says to pass it; with allow_pickle false nothing is imported and every name but "pickle" raises forbidden_error.
bool import_serializer(ConvertState& state, std::string_view name, bool allow_pickle, Serializer* serializer);

// The object behind `d.serializer`, a new reference; imports pickle if that is the default's first use.
PyObject* serializer_object(const Serializer& serializer);

// ---- values ----

// Sets `out` to the encoding of `value`. Objects with the buffer protocol that the serializer refuses are stored as
// bytes; what an object pickles out of band (NumPy arrays and what is made of them) is not copied.
bool encode_value(PyObject* value, const Serializer& serializer, Encoded* out);

// A new object; a new reference. `bytes` need only live during the call.
PyObject* decode_value(Bytes bytes, const Serializer& serializer);
// Whether `bytes` in shared memory, which somebody could change meanwhile, may be decoded where they are: what has such
// a tag is copied before anything is made of it. The tag is read once: pass it on.
bool decodes_by_copying(Tag tag) noexcept;
PyObject* decode_value(Tag tag, Bytes bytes, const Serializer& serializer);
inline Tag tag_of(Bytes bytes) noexcept { return bytes.empty() ? Tag{} : static_cast<Tag>(bytes.front()); }
// Of a bytes or a bytearray.
inline bool is_bytes(Tag tag) noexcept { return tag == Tag::bytes || tag == Tag::byte_array; }
// What the encoding of one holds; false if it is damaged.
bool payload_of(Bytes encoding, Bytes* payload);
// A new one, of that tag, that holds `bytes`; without the interpreter lock if it takes long.
Ref copy_of(Tag tag, Bytes bytes);
inline Ref bytes_object(Bytes bytes) {
  return Ref::steal(PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
}

// Whether decoding gives back an equal object of the same type, whatever the value. A writer whose serializer promises
// less must forget its own object and read what the others read.
inline bool lossless(const Serializer& serializer) { return serializer.is_default; }

// Whether the writer may keep `value` itself as the decoded value of the key: nobody can change it (exact None, bool,
// int, float, str, bytes and tuples of these) and the serializer is lossless. Anything else is to be decoded anew.
bool cacheable_as_is(PyObject* value, const Serializer& serializer);

}  // namespace ultradict::python
