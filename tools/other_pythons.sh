#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# other_pythons.sh <main python>: the Python suite on every other CPython from 3.9 to 3.14 that has headers, each in a
# virtual environment of its own under build/. Interpreters come from PATH and from pyenv. The last lines name those
# that ran and those that were not found; any failure is the exit status.
set -euo pipefail
cd "$(dirname "$0")/.."

main_version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
ran=() absent=() failed=()

# Succeeds if $1 is a CPython of version $2 with headers and venv. A shim of pyenv may exist and yet not run.
usable() {
  "$1" - "$2" >/dev/null 2>&1 <<'PYTHON'
import ensurepip, os, platform, sys, sysconfig, venv
assert platform.python_implementation() == "CPython"
assert "%d.%d" % sys.version_info[:2] == sys.argv[1]
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
PYTHON
}

find_python() { # find_python <version>: prints its path
  local candidate
  for candidate in $(type -ap "python$1") "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
    if usable "$candidate" "$1"; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

run_suite() { # run_suite <python> <version>
  local venv=build/python$2
  [ -x "$venv/bin/python" ] || "$1" -m venv "$venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check 'pip>=23.1' &&
    "$venv/bin/python" -m pip install -q --disable-pip-version-check \
      -C cmake.define.ULTRADICT_DEVELOPER=ON -C build-dir="build/package-{wheel_tag}" '.[test]' &&
    "$venv/bin/python" -m pytest -q -p no:cacheprovider tests/python tests/processes tests/faults
}

for version in 3.9 3.10 3.11 3.12 3.13 3.14; do
  [ "$version" = "$main_version" ] && continue
  if ! python=$(find_python "$version"); then
    absent+=("$version")
    continue
  fi
  echo "== Python $version: $python"
  if run_suite "$python" "$version"; then ran+=("$version"); else failed+=("$version"); fi
done

echo "Python suite passed on: $main_version (make test) ${ran[*]:-}"
echo "not found with headers: ${absent[*]:-none}"
[ ${#failed[@]} = 0 ] || { echo "failed on: ${failed[*]}" >&2; exit 1; }
