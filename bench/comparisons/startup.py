# SPDX-License-Identifier: Apache-2.0
"""What importing a library adds to the start of Python."""

from __future__ import annotations

import statistics
import subprocess
import time

from suite.family import Column, Family, Figures, Scale, Table, always
from suite.team import Team

FAMILY = Family(
    title="Start-up",
    text="Start of an interpreter that imports it, more than of one that imports nothing, in turn; medians.",
    variants=("import",),
    needs=always("imports"),
    tables=(Table("Import", (Column("over bare Python", "import", "import_ms", "ms", True),), "import"),),
    store="none",
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(scale.starts):
        for statement, taken in zip(("pass", team.adapter.imports), times):
            taken.append(start_ms(team.setting.python, statement))
    bare, importing = map(statistics.median, times)
    return {"import_ms": importing - bare, "bare_ms": bare}


def start_ms(python: str, statement: str) -> float:
    started = time.perf_counter()
    subprocess.run([python, "-c", statement], check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return (time.perf_counter() - started) * 1000
