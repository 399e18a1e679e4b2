// SPDX-License-Identifier: Apache-2.0
#include "common.h"

#include "module.h"

namespace ultradict::python {

namespace {

struct CommonObject {
  PyObject_HEAD CommonContent content;  // `owned` is null when it has ended
  PyObject** place;                     // in what is owned
};

CommonContent& content_of(PyObject* object) noexcept { return reinterpret_cast<CommonObject*>(object)->content; }

int common_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  const CommonContent& content = content_of(self);
  return content.owned != nullptr ? content.traverse(content.owned, visit, arg) : 0;
}

void common_finalize(PyObject* self) {
  const CommonContent& content = content_of(self);
  if (content.owned != nullptr && content.save != nullptr) content.save(content.owned);
}

int common_clear(PyObject* self) {
  const CommonContent& content = content_of(self);
  if (content.owned != nullptr) content.break_cycles(content.owned);
  return 0;
}

void common_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  PyTypeObject* type = Py_TYPE(self);
  if (content_of(self).owned != nullptr) *reinterpret_cast<CommonObject*>(self)->place = nullptr;
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

PyType_Slot common_slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(refuse_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(common_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(common_traverse)},
    {Py_tp_finalize, reinterpret_cast<void*>(common_finalize)},
    {Py_tp_clear, reinterpret_cast<void*>(common_clear)},
    {0, nullptr},
};

}  // namespace

bool make_common(const ModuleState* module, const CommonContent& content, PyObject** place) {
  auto* type = reinterpret_cast<PyTypeObject*>(module->common_type.get());
  auto* common = PyObject_GC_New(CommonObject, type);
  if (common == nullptr) return false;
  common->content = content;
  common->place = place;
  *place = reinterpret_cast<PyObject*>(common);
  PyObject_GC_Track(*place);
  return true;
}

void end_common(PyObject* common) noexcept {
  if (common != nullptr) content_of(common).owned = nullptr;
}

PyType_Spec common_spec = {"UltraDict._core.common", sizeof(CommonObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                           common_slots};

}  // namespace ultradict::python
