#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh <seconds>|<number>runs [target ...]: builds the fuzz targets (all, or those named: attach, decoder,
# operations), runs each so long, from the inputs in tests/fuzz/corpus/, and says how many executions there were. An
# input that ends a target is kept in build/<preset>/fuzz-failures/.
#
# FUZZ_PRESET=fuzz-fast      targets without sanitizers whose files are in their own memory: up to ten times as fast.
#                            How often an edge was taken makes no difference there, which saves a fifth of the time
# FUZZ_JOBS=<number>         so many processes of each target beside each other (with real files, damaged locks are
#                            waited for)
# FUZZ_LENGTH=<bytes>        of the longest input
# FUZZ_KEEP=<directory>      keeps the inputs that were found there, one directory per target, and goes on from them
set -euo pipefail
cd "$(dirname "$0")/.."

length=${1:?usage: tools/fuzz.sh <seconds>|<number>runs [target ...]}
shift
preset=${FUZZ_PRESET:-fuzz}
[ $# -gt 0 ] || set -- attach decoder operations

[ "$preset" = fuzz-fast ] && counters=0
declare -A max_len=([attach]=160 [decoder]=512 [operations]=400)
case $length in
  *runs) bound=-runs=${length%runs} ;;
  *) bound=-max_total_time=$length ;;
esac

tools/debian_packages.sh build test fuzz
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" >/dev/null

base=/dev/shm
[ -w $base ] || base=${TMPDIR:-/tmp}
work=$(mktemp -d "$base/ultradict-fuzz-XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=$PWD/build/$preset/fuzz-failures
failed=0

# The counts of all processes are added up.
run() { # run <target>
  local found=${FUZZ_KEEP:-$work}/$1 log=$work/$1 job jobs=()
  mkdir -p "$found" "$failures"
  for job in $(seq "${FUZZ_JOBS:-1}"); do
    ULTRADICT_DIR=$work/dicts-$1 UBSAN_OPTIONS=print_stacktrace=1 \
      "build/$preset/tests/fuzz/$1_fuzz" "$bound" -max_len="${FUZZ_LENGTH:-${max_len[$1]}}" -timeout=20 \
      -rss_limit_mb=2048 -malloc_limit_mb=256 -use_counters="${counters:-1}" -entropic=0 -len_control=0 \
      -print_funcs=0 -print_final_stats=1 \
      -artifact_prefix="$failures/$1-" \
      "$found" "tests/fuzz/corpus/$1" >"$log-$job.log" 2>&1 &
    jobs+=($!)
  done
  for job in "${!jobs[@]}"; do
    wait "${jobs[$job]}" && continue
    tail -n 60 "$log-$((job + 1)).log" >&2
    failed=1
  done
  awk -F: -v name="$1 ($preset)" '/^stat::number_of_executed_units/ { count += $NF }
    END { printf "%s: %d executions\n", name, count }' "$log"-*.log
}

for target in "$@"; do run "$target"; done
exit $failed
