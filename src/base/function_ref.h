// SPDX-License-Identifier: Apache-2.0
// FunctionRef: a function of the caller's, which lives longer than the call. Nothing is allocated for it.
#pragma once

#include <type_traits>

namespace ultradict {

template <typename Signature>
class FunctionRef;

template <typename Result, typename... Arguments>
class FunctionRef<Result(Arguments...)> {
 public:
  template <typename Function>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, FunctionRef>) FunctionRef(const Function& function)
      : function_(&function), call_([](const void* found, Arguments... arguments) -> Result {
          return (*static_cast<const Function*>(found))(arguments...);
        }) {}
  Result operator()(Arguments... arguments) const { return call_(function_, arguments...); }

 private:
  const void* function_;
  Result (*call_)(const void*, Arguments...);
};

}  // namespace ultradict
