# SPDX-License-Identifier: Apache-2.0
"""The engine without Python: runs the C++ benchmark, which checks its own answers, and passes its figures on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import Row, Scale, WrongAnswer, check
from machine import REPOSITORY


def measure(scale: Scale) -> Iterator[Row]:
    """Put, overwrite and get of int keys, beside std::unordered_map with a mutex and LMDB. No goals."""
    program = built_program()
    if not program.exists():
        print(f"(engine: no {program}; `make bench` builds it)")
        return
    count = scale.of(1_000_000, 20_000)
    finished = subprocess.run([program, str(count)], capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise WrongAnswer(f"{program.name}: {finished.stderr.strip()}")
    result = json.loads(finished.stdout.splitlines()[-1])
    check(program.name, result["count"], count)
    yield from rows(result)


def built_program() -> Path:
    """The C++ benchmark of the build directory that ULTRADICT_BUILD names, or of the optimized build."""
    return REPOSITORY / os.environ.get("ULTRADICT_BUILD", "build/release") / "bench" / "cpp" / "get_put"


def rows(result: dict[str, Any]) -> Iterator[Row]:
    """One row for each operation and rival."""
    times = dict(result["ns"])
    ours = times.pop("ultradict")
    for operation, ours_ns in ours.items():
        for rival, theirs in times.items():
            name = f"C++ {operation}, {result['count']:,} int keys"
            note = f"beside {rival}"
            yield Row(name, note, ours_ns / theirs[operation], "x", None, ours_ns, theirs[operation])
