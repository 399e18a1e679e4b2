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

sleep_call = re.compile(r"\b(?:sleep|usleep|nanosleep|sleep_for|sleep_until)\s*\(")
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
    return _matches(sleep_call, path, text)


def place_faults(path: Path, text: str) -> list[str]:
    """Paths of one machine and hosts of package registries."""
    return _matches(private_place, path, text)


def leftover_faults(path: Path, text: str) -> list[str]:
    """Notes to self that were never done."""
    return _matches(leftover, path, text)
