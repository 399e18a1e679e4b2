# SPDX-License-Identifier: Apache-2.0
"""Every bug that `make mutants` plants still has its place in the sources, and every fault has one."""

from __future__ import annotations

import subprocess
import sys

from house.test_faults import catalogue, code, row
from house.tree import expect_none, root, text


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


def test_every_fault_has_a_bug_that_its_test_catches() -> None:
    known = set(row.findall(text(catalogue)))
    tests = [line.rpartition(": ")[2].replace("_", " ") for line in listed()]
    shown = {found.upper() for test in tests for found in code.findall(test)}
    expect_none([f"no bug is planted that a test named after {fault} must catch" for fault in sorted(known - shown)])
