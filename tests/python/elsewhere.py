# SPDX-License-Identifier: Apache-2.0
"""A process that has nothing in common with the test but the name of a dict."""

from __future__ import annotations

import subprocess
import sys


def elsewhere(name: str, code: str) -> str:
    """What an unrelated process prints that runs `code` with the dict as `d`."""
    program = f"from UltraDict import UltraDict\nd = UltraDict(name={name!r})\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
