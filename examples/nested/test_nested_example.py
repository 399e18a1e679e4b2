# SPDX-License-Identifier: Apache-2.0
"""The example counts exactly, in two nested dicts."""

import subprocess
import sys
from pathlib import Path


def test_the_workers_counts_are_in_the_nested_dicts() -> None:
    script = Path(__file__).with_name("nested.py")
    finished = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=120)
    assert finished.stdout.splitlines() == [
        "{'pages': {'home': {'visits': 300}, 'news': {'visits': 200}}}",
        "plain: dict",
    ]
    assert finished.stderr == ""
