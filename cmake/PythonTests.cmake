# SPDX-License-Identifier: Apache-2.0
# The Python suite as one test of ctest: pytest over the installed package, run by the interpreter that has it.
# ULTRADICT_TEST_PYTHON names that interpreter (make passes the one in .venv); without it there is no such test.

set(ULTRADICT_TEST_PYTHON "" CACHE FILEPATH "Interpreter with the package and its test extra installed")

if(ULTRADICT_TEST_PYTHON)
  add_test(NAME python COMMAND ${ULTRADICT_TEST_PYTHON} -m pytest WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(python PROPERTIES
    COST 1000  # the longest: it is started first
    TIMEOUT 900
    ENVIRONMENT "ULTRADICT_BUILD=${CMAKE_BINARY_DIR}")
endif()
