# SPDX-License-Identifier: Apache-2.0
"""The engine without Python, in the same run: the C++ programs check their own answers, and print a line of JSON."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from machine import REPOSITORY

# what is measured -> the program, its arguments, and those in a quick run
RUNS = {
    "ping_pong": ("ping_pong", (), ("20000",)),
    "get_put_hot": ("get_put", ("1000", "301"), ("1000", "51")),
    "get_put": ("get_put", ("1000000", "3"), ("100000", "1")),
}
SECONDS_MAX = 600


def figures(quick: bool) -> dict[str, Any]:
    """The line of each run; what one that fails says, or that its program is not built."""
    found: dict[str, Any] = {}
    for name, (program_name, in_full, in_short) in RUNS.items():
        program = built(program_name)
        if not program.exists():
            found[name] = {"failed": f"{program} is not built"}
            continue
        command = [str(program), *(in_short if quick else in_full)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX)
        found[name] = (
            json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"failed": done.stderr.strip()}
        )
    return found


def built(name: str) -> Path:
    """A program of the build directory that ULTRADICT_BUILD names, or of the optimized build."""
    return REPOSITORY / os.environ.get("ULTRADICT_BUILD", "build/release") / "bench" / "cpp" / name
