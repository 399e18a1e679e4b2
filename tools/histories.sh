#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# histories.sh [count]: records that many histories of 1,000 operations by several processes on one dict, half of them
# through C++ and half through Python, half of each with kills, and has each checked for linearizability
# (tests/histories/README.md). The checker's own tests come first. Histories that are wrong are kept, with a picture
# of each, in the build folder. ULTRADICT_BUILD and ULTRADICT_TEST_PYTHON name what is tested, ULTRADICT_SEED where the
# random numbers begin; with ULTRADICT_STRESS there are 1,000 histories.
set -euo pipefail
cd "$(dirname "$0")/.."

build=$(realpath "${ULTRADICT_BUILD:-build/dev}")
python=${ULTRADICT_TEST_PYTHON:-.venv/bin/python}
count=${1:-$([ -n "${ULTRADICT_STRESS:-}" ] && echo 1000 || echo 12)}
seed=${ULTRADICT_SEED:-1}
place=$build/tests/histories

tools/debian_packages.sh histories
(cd tests/histories/checker && go vet . && go test . && go build -o "$place/check_histories" .)

base=/dev/shm
[ -w "$base" ] || base=${TMPDIR:-/tmp}
ULTRADICT_DIR=$(mktemp -d "$base/ultradict-test-XXXXXX")
export ULTRADICT_DIR
trap 'rm -rf "$ULTRADICT_DIR"' EXIT

record() {
  "$place/record_histories" $((count - count / 2)) "$seed" &&
    "$python" tests/histories/record_histories.py $((count / 2)) "$seed"
}

if ! record | "$place/check_histories" -expected "$count" -kept "$place/wrong"; then
  echo "failed: ULTRADICT_SEED=$seed tools/histories.sh $count" >&2
  exit 1
fi
