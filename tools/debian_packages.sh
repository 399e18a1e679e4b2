#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# debian_packages.sh <purpose> ...: makes sure that the purposes named in probe() find what they need outside PyPI. Each
# need is probed by use, so a compiler or an interpreter from elsewhere counts; what is missing is installed through apt
# where that is allowed without a question, else one line names the packages.
set -euo pipefail

PYTHON=${PYTHON:-python3}
missing=()

need() { # need <package> <command that succeeds when it is there>
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}

has_header() { echo "#include <$1>" | g++ -std=c++20 -E -x c++ - ; }
has_cmake() { printf '%s\n' 3.25 "$(cmake --version | sed -n '1s/.* //p')" | sort --version-sort --check; }
has_go() { printf '%s\n' 1.19 "$(go env GOVERSION | sed 's/^go//')" | sort --version-sort --check; }
has_python_header() {
  "$PYTHON" -c 'import os, sysconfig; open(os.path.join(sysconfig.get_path("include"), "Python.h")).close()'
}
links_with() { # links_with <sanitizers of clang>
  echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
    clang++-14 -fsanitize="$1" -x c++ - -o /dev/null
}

probe() {
  case $1 in
    build)
      need g++ sh -c 'echo "#include <bit>" | g++ -std=c++20 -fsyntax-only -x c++ -'
      need cmake has_cmake
      need ninja-build ninja --version
      need libxxhash-dev has_header xxhash.h
      need python3-venv "$PYTHON" -c 'import ensurepip, venv'
      need python3-dev has_python_header
      ;;
    test) need libgtest-dev has_header gtest/gtest.h ;;
    histories) need golang-go has_go ;;
    bench)
      need liblmdb-dev has_header lmdb.h
      need libboost-dev has_header boost/interprocess/managed_shared_memory.hpp
      need libtbb-dev has_header tbb/concurrent_hash_map.h
      ;;
    instructions) need valgrind valgrind --version ;;
    peers)
      need redis-server redis-server --version
      need memcached memcached --version
      ;;
    model)
      need spin spin -V
      need gcc gcc --version
      ;;
    check)
      need clang-14 clang++-14 --version
      need clang-tidy-14 clang-tidy-14 --version
      need clang-format-14 clang-format-14 --version
      ;;
    coverage)
      need llvm-14 llvm-cov-14 --version
      need libclang-rt-14-dev sh -c 'ls "$(clang++-14 --print-resource-dir)"/lib/linux/libclang_rt.profile-*.a'
      ;;
    fuzz)
      need clang-14 clang++-14 --version
      need libfuzzer-14-dev links_with fuzzer
      need libclang-rt-14-dev links_with fuzzer,address,undefined
      ;;
    *) echo "debian_packages.sh: unknown purpose $1" >&2 && exit 2 ;;
  esac
}

probe_all() {
  missing=()
  for purpose in "$@"; do probe "$purpose"; done
}

# Runs a command as root if that needs no password.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo --non-interactive "$@"; fi
}

install_missing() {
  command -v apt-get >/dev/null && as_root true 2>/dev/null || return 1
  echo "installing ${missing[*]}"
  as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

probe_all "$@"
[ ${#missing[@]} = 0 ] && exit 0
install_missing || true
probe_all "$@"
[ ${#missing[@]} = 0 ] && exit 0
echo "missing: please install these Debian packages and try again: ${missing[*]}" >&2
exit 1
