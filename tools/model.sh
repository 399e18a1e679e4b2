#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# model.sh: builds and runs the models of tests/model with Spin, each through its full state space, and prints what was
# searched. Then each model once more for every way in which it can be broken on purpose: all of them must fail. Fails
# on an error, on a search that was cut short by a bound, and on steps of a model that are never taken.
# ULTRADICT_STRESS=1: three processes everywhere, which takes minutes; otherwise what takes seconds.
set -euo pipefail
models=$(cd "$(dirname "$0")/../tests/model" && pwd)
command -v spin >/dev/null || { echo "spin is missing: tools/debian_packages.sh model" >&2; exit 1; }

depth_max=1000000
memory_max=6000 # MB
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# search <model> <-D...>...: the output of the search goes to $scratch/output.
search() {
  local model=$1
  shift
  rm -rf "$scratch/build" && mkdir "$scratch/build"
  cp "$models/$model.pml" "$scratch/build/"
  (
    cd "$scratch/build"
    spin "$@" -a "$model.pml" >spin.out || { cat spin.out >&2; exit 1; }
    gcc -O2 -w -DSAFETY -DCOLLAPSE -DNOREDUCE -DMEMLIM="$memory_max" -o pan pan.c
    ./pan -m"$depth_max" >"$scratch/output" 2>&1 || true
  )
}

field() { sed -nE "s/^(.* )?$1.*/\2/p" "$scratch/output" | head -1; }

fail() { # fail <model> <defines> <what>
  cat "$scratch/output" >&2
  echo "model: $1 $2: $3" >&2
  exit 1
}

holds() { # holds <model> <-D...>...
  search "$@"
  local model=$1 states transitions depth errors
  shift
  states=$(field '([0-9.e+]+) states, stored')
  transitions=$(field '([0-9.e+]+) transitions')
  depth=$(field 'depth reached ([0-9]+)')
  errors=$(field 'errors: ([0-9]+)')
  [ "$errors" = 0 ] || fail "$model" "$*" "errors: ${errors:-?}"
  if grep -qE 'max search depth too small|out of memory|Search not completed|reached -DMEMLIM' "$scratch/output"; then
    fail "$model" "$*" "the search was cut short"
  fi
  printf 'model: %-8s %-42s %10s states %11s transitions, depth %6s, errors 0\n' \
    "$model" "$*" "$states" "$transitions" "$depth"
}

# What a model with crashes never does, although it should; lines that are meant to be out of reach say so.
reaches_all() { # after holds <model>
  local model=$1 line missed=0
  for line in $(sed -nE "s/^\s*$model\.pml:([0-9]+), state.*/\1/p" "$scratch/output" | sort -un); do
    sed -n "${line}p" "$models/$model.pml" | grep -qE 'unreached|^end|^}' && continue
    echo "model: $model.pml:$line is never reached" >&2
    missed=1
  done
  [ $missed = 0 ] || fail "$model" "" "steps that are never taken"
}

breaks() { # breaks <model> <VARIANT> <-D...>...
  local model=$1 variant=$2
  shift 2
  search "$model" "-D$variant" "$@"
  grep -qE 'errors: [1-9]' "$scratch/output" || fail "$model" "-D$variant $*" "broken, and nothing was found"
  local found
  found=$(sed -nE 's/^pan:[0-9]+: (.*) \(at depth.*/\1/p' "$scratch/output" | head -1)
  printf 'model: %-8s %-42s found: %s\n' "$model" "-D$variant" "$found"
}

source "$models/runs.sh"
