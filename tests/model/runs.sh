# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/model.sh: which models are searched, within which bounds, and how each is broken.
two_die_once=(-DPROCESSES=2 -DCRASHES=1)
three=(-DPROCESSES=3 -DCRASHES=0)

holds lock "${two_die_once[@]}"
reaches_all lock
holds journal -DPROCESSES=2 -DCRASHES=2 -DCHANGES=2 -DWORDS=2
reaches_all journal
holds segment -DWRITES=2 -DREADS=1
reaches_all segment
holds table -DCHANGES=2 -DCRASHES=0
if [ -n "${ULTRADICT_STRESS:-}" ]; then
  holds lock -DPROCESSES=3 -DCRASHES=0
  holds lock -DPROCESSES=3 -DCRASHES=1
  holds journal -DPROCESSES=3 -DCRASHES=2 -DCHANGES=2 -DWORDS=3
  holds segment -DWRITES=3 -DREADS=2
  holds table -DCHANGES=3
  breaks table NO_REDO -DCHANGES=3
fi

breaks lock NO_GENERATION -DPROCESSES=3 -DCRASHES=1
breaks lock NO_WAKE "${three[@]}"
breaks lock FORGETS_WAITERS "${three[@]}"
breaks lock SLEEPS_BLINDLY "${three[@]}"
breaks lock STEALS_BLINDLY -DPROCESSES=3 -DCRASHES=1
breaks lock GIVES_UP_SILENTLY -DPROCESSES=3 -DCRASHES=0 -DTURNS=2
for variant in WITHOUT_FENCE RETIRES_FIRST APPLIES_FIRST COMMITS_FIRST NO_REDO REDO_RETIRES_FIRST; do
  breaks journal $variant -DPROCESSES=2 -DCRASHES=2 -DCHANGES=2 -DWORDS=2
done
for variant in WITHOUT_FENCE WITHOUT_READER_FENCE RELAXED_REF FIRST_LATE NO_WITNESS; do
  breaks segment $variant -DWRITES=2 -DREADS=1
done
for variant in KEEPS_TABLE_NUMBER KEEPS_OLD_REF NO_ODD_NUMBER TOMBSTONE_FIRST; do
  breaks table $variant -DCHANGES=4 -DCRASHES=0
done
