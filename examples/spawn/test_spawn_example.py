# SPDX-License-Identifier: Apache-2.0
"""Spawned workers divide the work among themselves and finish all of it."""

import subprocess
import sys
from pathlib import Path


def test_spawned_workers_do_all_of_the_work() -> None:
    script = Path(__file__).with_name("spawn.py")
    finished = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=120)
    assert finished.stdout == "3 workers made 300 squares, the last is 89401\n"
    assert finished.stderr == ""
