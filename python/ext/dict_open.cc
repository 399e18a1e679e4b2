// SPDX-License-Identifier: Apache-2.0
// Opening: parameters to engine options, and the recorded attributes (serializer, shared_lock, recurse) compared with
// those that were asked for.
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "dict_life.h"

namespace ultradict::python {

namespace {

constexpr Create ways[] = {Create::if_missing, Create::always, Create::never};

// As they came from Python; null and None: not given.
struct Parameters {
  PyObject* name = nullptr;
  const char* identity = "";
  int create = 0;
  unsigned long long buffer_size = 0;
  unsigned long long full_dump_size = 0;
  unsigned long long max_bytes = 0;
  int auto_unlink = 1;
  unsigned mode = 0600;
  PyObject* serializer = nullptr;
  PyObject* shared_lock = nullptr;
  PyObject* recurse = nullptr;
  unsigned long long cache_bytes = 0;
  int allow_pickle = 1;

  bool parse(PyObject* arguments, PyObject* keywords) {
    static const char* words[] = {"name",         "create",     "buffer_size", "full_dump_size", "auto_unlink",
                                  "mode",         "serializer", "shared_lock", "recurse",        "cache_bytes",
                                  "allow_pickle", "identity",   "max_bytes",   nullptr};
    return PyArg_ParseTupleAndKeywords(arguments, keywords, "UiKKpIOOOKp|sK:_shared_open", const_cast<char**>(words),
                                       &name, &create, &buffer_size, &full_dump_size, &auto_unlink, &mode, &serializer,
                                       &shared_lock, &recurse, &cache_bytes, &allow_pickle, &identity,
                                       &max_bytes) != 0 &&
           check_create();
  }

 private:
  bool check_create() const {
    if (create >= 0 && create < static_cast<int>(std::size(ways))) return true;
    return PyErr_Format(PyExc_ValueError, "create must be 0 (if missing), 1 (always) or 2 (never), not %d", create),
           false;
  }
};

Options engine_options(const Parameters& given, std::string attributes) {
  Options options;
  options.create = ways[given.create];
  options.id = given.identity;
  options.buffer_size = given.buffer_size;
  options.full_dump_size = given.full_dump_size;
  options.max_bytes = given.max_bytes;
  options.auto_unlink = given.auto_unlink != 0;
  options.mode = given.mode;
  options.attributes = std::move(attributes);
  options.keeps_sightings = true;  // the cache's, until it follows to the new table
  return options;
}

// "word=value" lines.
std::string written_attributes(const Session* session, const Parameters& given) {
  return "serializer=" + session->serializer.name + "\nshared_lock=" + (given.shared_lock == Py_True ? "1" : "0") +
         "\nrecurse=" + (given.recurse == Py_True ? "1" : "0") + "\n";
}

std::map<std::string, std::string> read_attributes(const std::string& text) {
  std::map<std::string, std::string> values;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::size_t equals = text.find('=', begin);
    if (equals < end) values[text.substr(begin, equals - begin)] = text.substr(equals + 1, end - equals - 1);
    begin = end + 1;
  }
  return values;
}

bool mismatch(Session* session, const char* word, const std::string& recorded, const std::string& given) {
  PyErr_Format(session->module->errors.parameter_mismatch.get(),
               "UltraDict '%s' was created with %s=%s, this call says %s: pass the same or leave it out",
               session->name.c_str(), word, recorded.c_str(), given.c_str());
  return false;
}

bool check_flag(Session* session, const char* word, const std::string& recorded, PyObject* given) {
  const bool is_set = recorded == "1";
  if (given == Py_None || (given == Py_True) == is_set) return true;
  return mismatch(session, word, is_set ? "True" : "False", is_set ? "False" : "True");
}

bool check_serializer(Session* session, const std::string& recorded, bool allow_pickle) {
  Serializer& serializer = session->serializer;
  if (serializer.name == recorded) return true;
  if (!serializer.is_default) return mismatch(session, "serializer", recorded, serializer.name);
  return import_serializer(session->module->convert, recorded, allow_pickle, &serializer);
}

// What this very call has recorded. Nothing here can fail: a dict whose handle nobody has could be left behind.
bool follow_given(Session* session, const Parameters& given) noexcept {
  session->shared_lock = given.shared_lock == Py_True;
  session->recurse = given.recurse == Py_True;
  return true;
}

bool follow_recorded(Session* session, const Parameters& given) {
  auto recorded = read_attributes(session->engine.attributes());
  recorded.try_emplace("serializer", Serializer().name);  // C++ made it, and recorded nothing
  session->shared_lock = recorded["shared_lock"] == "1";
  session->recurse = recorded["recurse"] == "1";
  session->is_nested = session->engine.child_id().number != 0;
  return check_serializer(session, recorded["serializer"], given.allow_pickle != 0) &&
         check_flag(session, "shared_lock", recorded["shared_lock"], given.shared_lock) &&
         check_flag(session, "recurse", recorded["recurse"], given.recurse);
}

constexpr std::size_t id_size_enough = 64;  // characters of Dict::id()

bool attach(Session* session, const Parameters& given) {
  session->id.reserve(id_size_enough);
  const Options options = engine_options(given, written_attributes(session, given));
  Status status;
  {
    const GilReleased released;
    status = Dict::open(session->name, options, &session->engine);
  }
  // To who attaches it is one that is not there; DictDeleted is for those who had it.
  if (status.code() == Code::dict_gone) status = Status(Code::no_such_dict, status.message());
  if (!status) return raise_status(session->module, status, session->name), false;
  session->id = session->engine.id();
  session->family->budget.set_size_max(given.cache_bytes);
  session->cache.begin(session->engine, &session->family->budget);
  return session->engine.is_creator() ? follow_given(session, given) : follow_recorded(session, given);
}

// Nested dicts are read by who knows the typed encoding.
bool check_recurse(Session* session, PyObject* recurse) {
  if (recurse != Py_True || session->serializer.is_default) return true;
  PyErr_Format(session->module->errors.invalid_parameter.get(),
               "recurse=True needs the serializer pickle, this call says %s: leave one of the two out",
               session->serializer.name.c_str());
  return false;
}

bool open_engine(Session* session, const Parameters& given) {
  Py_ssize_t size = 0;
  const char* name = PyUnicode_AsUTF8AndSize(given.name, &size);
  if (name == nullptr) return false;
  session->name.assign(name, static_cast<std::size_t>(size));
  return resolve_serializer(session->module->convert, given.serializer, given.allow_pickle != 0,
                            &session->serializer) &&
         check_recurse(session, given.recurse) && attach(session, given);
}

// False with an exception.
bool is_first_opening(const DictObject* dict) {
  if (dict->session == nullptr) return true;
  return PyErr_Format(PyExc_RuntimeError, "__init__ was called again: this object is UltraDict '%s' already",
                      dict->session->name.c_str()),
         false;
}

struct Lose {
  void operator()(Session* session) const {
    if (!is_unwound()) session->lose_object();
  }
};

}  // namespace

PyObject* dict_open(PyObject* self, PyObject* arguments, PyObject* keywords) {
  DictObject* dict = dict_object(self);
  if (!is_first_opening(dict)) return nullptr;
  Parameters given;
  if (!given.parse(arguments, keywords)) return nullptr;
  std::unique_ptr<Session, Lose> session(Session::make(dict->module));
  if (!session || !open_engine(session.get(), given)) return nullptr;
  if (!is_first_opening(dict)) return nullptr;  // opening may have run Python code
  dict->session = session.release();
  return Ref::share(Py_None).release();
}

}  // namespace ultradict::python
