#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# memory_checks.sh <python> [pytest arguments]: the Python suite against an extension built with AddressSanitizer and
# UndefinedBehaviorSanitizer, then against the installed one with the checks of CPython's debug allocator. The processes
# that tests start are checked, too. What is lost at exit is not reported: CPython itself keeps much; tests/python/
# test_leaks.py looks for what grows.
set -euo pipefail
cd "$(dirname "$0")/.."

python=$1
shift
tests=("$@")
[ ${#tests[@]} = 0 ] && tests=(tests/python tests/processes tests/faults)
sanitized=build/python-asan

"$python" -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps --upgrade \
  --target "$sanitized" -C cmake.define.ULTRADICT_DEVELOPER=ON \
  -C cmake.define.ULTRADICT_SANITIZE=address,undefined -C build-dir=build/package-asan .

echo "== AddressSanitizer and UndefinedBehaviorSanitizer"
runtime=$(g++ -print-file-name=libasan.so)
LD_PRELOAD=$runtime ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc PYTHONPATH=$PWD/$sanitized \
  "$python" -m pytest -q -p no:cacheprovider "${tests[@]}"

echo "== PYTHONMALLOC=debug"
PYTHONMALLOC=debug "$python" -m pytest -q -p no:cacheprovider "${tests[@]}"
