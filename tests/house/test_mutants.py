# SPDX-License-Identifier: Apache-2.0
"""Every bug that `make mutants` plants still has its place in the sources, and every fault has one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from house.test_faults import catalogue, code, row
from house.tree import expect_none, root, text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def bugs_in(path: Path) -> list[dict[str, Any]]:
    bugs: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["mutant"]
    return bugs


def test_the_place_of_every_bug_is_there_once() -> None:
    listing = [sys.executable, "tools/mutants.py", "--list"]
    listed = subprocess.run(listing, cwd=root, capture_output=True, text=True)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert len(listed.stdout.splitlines()) >= 60


def test_every_fault_has_a_bug_that_its_test_catches() -> None:
    known = set(row.findall(text(catalogue)))
    tests = [mutant["test"] for path in (root / "tests/mutants").glob("*.toml") for mutant in bugs_in(path)]
    shown = {found.upper() for test in tests for found in code.findall(test.replace("_", " "))}
    expect_none([f"no bug is planted that a test named after {fault} must catch" for fault in sorted(known - shown)])
