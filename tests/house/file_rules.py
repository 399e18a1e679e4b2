# SPDX-License-Identifier: Apache-2.0
"""What every file of this repository obeys, as functions from a path and its text to the faults found."""

from __future__ import annotations

import re
from pathlib import Path

lines_max = 400
columns_max = 120
spdx = "SPDX-License-Identifier: Apache-2.0"

# Sources that may be longer than lines_max, each with its reason.
long_files: dict[str, str] = {}

# Tests that may sleep, each with its reason.
random_moment = "kills at a random moment, which no event may tell"
sleeping_files = {
    "tests/campaigns/kill_storm_test.cc": random_moment,
    "tests/campaigns/namespaces_test.cc": random_moment,
    "tests/engine/recovery_test.cc": random_moment,
    "tests/engine/support/child.cc": "wait_until, for what another process does and no event tells",
    "tests/fuzz/memory/futex.cc": "no sleep: what the engine calls where nobody else is there",
    "tests/interleavings/hooks.cc": "no sleep: a step of the scheduler, in place of the engine's own",
}

sleep_call = re.compile(r"\b(?:sleep|usleep|nanosleep|sleep_for|sleep_until|pause_ns)\s*\(")
# Where someone builds or downloads is nobody else's business: machine paths, and hosts of package registries.
private_place = re.compile(
    r"/(?:root|home)/[a-z.]"
    r"|(?<![\w./$)}-])/(?:work|tmp/build)\b"
    r"|\b(?:pypi|registry|proxy|mirrors?|npmjs|files\.pythonhosted|deb)\.[a-z0-9.-]*\.?(?:org|com|net|io)\b",
    re.IGNORECASE,
)
leftover = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")


def license_faults(path: Path, text: str) -> list[str]:
    """A source without the license in its first line, or in the second below #!."""
    lines = text.splitlines()
    line = lines[1:2] if text.startswith("#!") else lines[:1]
    return [] if not lines or spdx in "".join(line) else [f"{path}: the first line is not {spdx}"]


def size_faults(path: Path, text: str) -> list[str]:
    """Too many lines in a file, or too many columns in a line."""
    lines = text.splitlines()
    wide = (number for number, line in enumerate(lines, 1) if len(line) > columns_max)
    faults = [f"{path}:{number}: more than {columns_max} columns" for number in wide]
    if len(lines) > lines_max and path.as_posix() not in long_files:
        faults.append(f"{path}: {len(lines)} lines, at most {lines_max}")
    return faults


def _matches(pattern: re.Pattern[str], path: Path, text: str) -> list[str]:
    found = ((number, pattern.search(line)) for number, line in enumerate(text.splitlines(), 1))
    return [f"{path}:{number}: {match.group()!r}" for number, match in found if match]


def sleep_faults(path: Path, text: str) -> list[str]:
    """A test that sleeps waits too long or not long enough: tests wait for events."""
    return [] if path.as_posix() in sleeping_files else _matches(sleep_call, path, text)


def place_faults(path: Path, text: str) -> list[str]:
    """Paths of one machine and hosts of package registries."""
    return _matches(private_place, path, text)


def leftover_faults(path: Path, text: str) -> list[str]:
    """Notes to self that were never done."""
    return _matches(leftover, path, text)
