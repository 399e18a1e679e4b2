#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run_engine_tests.sh <engine_tests> [arguments]: runs the engine tests with the sanitizers set to end at the first
# report. ThreadSanitizer of this age cannot start where the kernel spreads mappings too far; then the addresses are
# fixed for it, and where the kernel forbids that as well the test counts as skipped (77), with a line that says so.
set -euo pipefail

export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=1:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
# Children forked by a test that has threads are part of what is tested.
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:die_after_fork=0:second_deadlock_stack=1}

starts() { "$@" --gtest_list_tests >/dev/null 2>&1; }

if [ "${ULTRADICT_SANITIZE:-}" != thread ] || starts "$1"; then
  exec "$@"
fi
if starts setarch --addr-no-randomize "$1"; then
  exec setarch --addr-no-randomize "$@"
fi
echo "skipped: ThreadSanitizer cannot start on this kernel"
exit 77
