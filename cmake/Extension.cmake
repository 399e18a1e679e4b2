# SPDX-License-Identifier: Apache-2.0
# The CPython extension UltraDict/_core. It sees the engine through include/ only, and is not linked with libpython: the
# interpreter that loads it has those symbols.

find_package(Python 3.9 REQUIRED COMPONENTS Interpreter Development.Module)

file(GLOB extension_sources CONFIGURE_DEPENDS python/ext/*.cc)
python_add_library(_core MODULE WITH_SOABI ${extension_sources})
target_link_libraries(_core PRIVATE ultradict_engine ultradict_settings)
# Nothing of the engine is for other extensions that the same process has loaded.
target_link_options(_core PRIVATE -Wl,--exclude-libs,ALL)
install(TARGETS _core LIBRARY DESTINATION UltraDict)
