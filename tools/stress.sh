#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stress.sh <python> <build> <minutes> [campaign ...]: the tests that `make test` runs in short, at full length
# (ULTRADICT_STRESS=1), and what only this runs. All campaigns, or those named:
#   crashes        every store of every operation, and every store of every recovery from every state    half an hour
#   engine         kills, small memory, damage, namespaces: the program `campaigns`                       about an hour
#   python         the suites of several processes and of faults, among them 20,000 kills                 hours
#   histories      1,000 histories of 1,000 operations, checked for linearizability                       ten minutes
#   interleavings  the lock-free kernels in every order of their steps                                    some minutes
#   model          the protocols in Spin, their whole state space                                         ten minutes
#   fuzz           each fuzz target for a minute, with sanitizers, and one with files in memory           ten minutes
#   rounds         engine tests in random order and those of several processes, a new seed each round     <minutes>
# It ends with the first that fails. The times are those of two quiet cores.
set -euo pipefail
cd "$(dirname "$0")/.."

python=$1 build=$2 minutes=$3
shift 3
[ $# -gt 0 ] || set -- crashes engine python histories interleavings model fuzz rounds
export ULTRADICT_STRESS=1 ULTRADICT_BUILD=$build ULTRADICT_TEST_PYTHON=$python

crashes() { tools/run_engine_tests.sh "$build/tests/engine/crash_tests"; }
engine() { tools/run_engine_tests.sh "$build/tests/campaigns/campaigns"; }
python() { "$python" -m pytest -q -p no:cacheprovider --timeout=7200 tests/processes tests/faults; }
histories() { tools/histories.sh; }
interleavings() { tools/run_engine_tests.sh "$build/tests/interleavings/interleavings"; }
model() { tools/model.sh; }
fuzz() { tools/fuzz.sh 60 && FUZZ_PRESET=fuzz-fast tools/fuzz.sh 60; }

run_round() { # run_round <seed>
  GTEST_BRIEF=1 tools/run_engine_tests.sh "$build/tests/engine/engine_tests" --gtest_shuffle --gtest_random_seed="$1" &&
    "$python" -m pytest -q -p no:cacheprovider --hypothesis-seed="$1" tests/processes/test_model.py \
      tests/processes/test_compound.py tests/python/test_encoding.py
}

rounds() {
  local deadline=$((SECONDS + minutes * 60)) round=0
  while [ "$SECONDS" -lt "$deadline" ]; do
    round=$((round + 1))
    export ULTRADICT_SEED=$((RANDOM + 1))
    echo "== round $round, seed $ULTRADICT_SEED"
    run_round "$ULTRADICT_SEED" || { echo "failed in round $round: ULTRADICT_SEED=$ULTRADICT_SEED" >&2; exit 1; }
  done
  echo "stress: $round rounds passed in $minutes minutes"
}

for campaign in "$@"; do
  case $campaign in
    crashes | engine | python | histories | interleavings | model | fuzz | rounds) ;;
    *) echo "stress: there is no campaign '$campaign'; those there are stand at the top of $0" >&2; exit 2 ;;
  esac
done
for campaign in "$@"; do
  echo "== $campaign"
  "$campaign"
done
