# SPDX-License-Identifier: Apache-2.0
"""The example prints what the README says it does."""

import subprocess
import sys
from pathlib import Path


def test_the_example_prints_the_same_on_both_sides() -> None:
    script = Path(__file__).with_name("simple.py")
    finished = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    assert finished.stdout.splitlines() == [
        "here:  {'apples': 4, 'pears': 5}",
        "there: {'apples': 4, 'pears': 5}",
        "basket: ['apples', 'pears']",
    ]
    assert finished.stderr == ""
