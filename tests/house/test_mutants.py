# SPDX-License-Identifier: Apache-2.0
"""Every bug that `make mutants` plants still has its place in the sources and its test, and every fault has one."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import sys

from house.test_faults import catalogue, code, row
from house.tree import expect_none, root, sources, text

engine_test = re.compile(r"^(?:TYPED_)?TEST(?:_[FP])?\((\w+), (\w+)\)", re.MULTILINE)
python_test = re.compile(r"^ *def (test_\w+)\(", re.MULTILINE)


def listed() -> list[str]:
    """The bugs as `tools/mutants.py --list` says them: file, reason and test."""
    listing = [sys.executable, "tools/mutants.py", "--list"]
    found = subprocess.run(listing, cwd=root, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout.splitlines()


def test_the_place_of_every_bug_is_there_once() -> None:
    listing = listed()
    campaigns = text(root / "docs/campaigns.md")
    assert f"| {len(listing)} | {len(listing)} planted, " in campaigns, f"docs/campaigns.md: {len(listing)} are planted"


def python_tests_are_there(chosen: str) -> bool:
    """Of what pytest is told to run: files, one of them perhaps with a test, and a word for -k."""
    places, _, word = chosen.partition(" -k ")
    for place in places.split():
        file, _, name = place.partition("::")
        if not (root / file).is_file() or (name and name not in python_test.findall(text(root / file))):
            return False
        if word and not any(word in found for found in python_test.findall(text(root / file))):
            return False
    return True


def engine_tests_are_there(chosen: str, names: set[str]) -> bool:
    """Of a filter of GoogleTest: [of which parameters/]suite.test[/which parameter], or several with colons between."""
    patterns = [part for whole in chosen.split(":") for part in whole.split("/") if "." in part]
    return all(fnmatch.filter(names, pattern) for pattern in patterns)


def test_the_test_of_every_bug_is_there() -> None:
    names = {".".join(found) for path in sources(".cc") for found in engine_test.findall(text(root / path))}
    missing = []
    for line in listed():
        program, _, chosen = line.rpartition(": ")[2].partition(" ")
        if program == "pytest" and not python_tests_are_there(chosen):
            missing.append(line)
        if program not in ("pytest", "histories") and not engine_tests_are_there(chosen, names):
            missing.append(line)
    expect_none(missing)


def test_every_fault_has_a_bug_that_its_test_catches() -> None:
    known = set(row.findall(text(catalogue)))
    tests = [line.rpartition(": ")[2].replace("_", " ") for line in listed()]
    shown = {found.upper() for test in tests for found in code.findall(test)}
    expect_none([f"no bug is planted that a test named after {fault} must catch" for fault in sorted(known - shown)])
