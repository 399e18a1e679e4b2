#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stress.sh <python> <engine_tests> <minutes>: engine tests in random order and the tests of several processes, over and
# over with a new seed each round, until the time is up or something fails. ULTRADICT_STRESS=1 asks the tests for more
# rounds.
set -euo pipefail
cd "$(dirname "$0")/.."

python=$1 engine_tests=$2 minutes=$3
export ULTRADICT_STRESS=1
deadline=$((SECONDS + minutes * 60))
round=0

run_round() { # run_round <seed>
  GTEST_BRIEF=1 tools/run_engine_tests.sh "$engine_tests" --gtest_shuffle --gtest_random_seed="$1" &&
    "$python" -m pytest -q -p no:cacheprovider --hypothesis-seed="$1" tests/processes tests/python/test_encoding.py
}

while [ "$SECONDS" -lt "$deadline" ]; do
  round=$((round + 1))
  export ULTRADICT_SEED=$((RANDOM + 1))
  echo "== round $round, seed $ULTRADICT_SEED"
  run_round "$ULTRADICT_SEED" || { echo "failed in round $round: ULTRADICT_SEED=$ULTRADICT_SEED" >&2; exit 1; }
done
echo "stress: $round rounds passed in $((SECONDS / 60)) minutes"
