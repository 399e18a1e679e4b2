# SPDX-License-Identifier: Apache-2.0
"""Every bug that `make mutants` plants still has its place in the sources."""

from __future__ import annotations

import subprocess
import sys

from house.tree import root


def test_the_place_of_every_bug_is_there_once() -> None:
    listing = [sys.executable, "tools/mutants.py", "--list"]
    listed = subprocess.run(listing, cwd=root, capture_output=True, text=True)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert len(listed.stdout.splitlines()) >= 60
