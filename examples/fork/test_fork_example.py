# SPDX-License-Identifier: Apache-2.0
"""No increment of a forked worker is lost."""

import subprocess
import sys
from pathlib import Path


def test_forked_workers_count_exactly() -> None:
    script = Path(__file__).with_name("fork.py")
    finished = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    assert finished.stdout == "4 workers counted to 4000\n"
    assert finished.stderr == ""
