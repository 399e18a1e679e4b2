# SPDX-License-Identifier: Apache-2.0
"""docs/benchmarks.md, its plots and the table of README are what bench/report.py makes of the committed results."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

from house.tree import root

sys.path.insert(0, str(root / "bench"))

import report
from suite.results import Results

results = root / "bench" / "results" / "versus.json"


def checked(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "bench" / "report.py"), "--check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_documents_show_the_committed_results() -> None:
    answer = checked()
    assert answer.returncode == 0, f"run bench/report.py for:\n{answer.stdout}{answer.stderr}"


def test_another_figure_is_noticed(tmp_path: Path) -> None:
    content = json.loads(results.read_text())
    content["cells"]["read"]["uniform"]["ultradict"]["rounds"] = [{"per_s": 1.0}]
    other = tmp_path / results.name
    other.write_text(json.dumps(content))
    answer = checked(str(other))
    assert answer.returncode == 1
    assert {"docs/benchmarks.md", "README.md"} <= set(answer.stdout.split())


def with_clock(*nanoseconds: float) -> Results:
    """The results, as if it had taken so long to read the clock in turn."""
    content = json.loads(results.read_text())
    turns = itertools.cycle(nanoseconds)
    for workload in content["cells"].values():
        for cell in (cell for stores in workload.values() for cell in stores.values()):
            for figures in cell.get("rounds", []):
                figures["timer_ns"] = next(turns)
    return Results(content)


def test_a_machine_that_was_not_steady_is_told() -> None:
    told = "The machine was not steady"
    assert told not in report.document(with_clock(40.0, 50.0), results.name)
    assert told in report.document(with_clock(40.0, 70.0), results.name)
    told = "Others had a share of the machine"
    assert told not in report.short_table(with_clock(40.0, 50.0)).replace("\n", " ")
    assert told in report.short_table(with_clock(40.0, 70.0)).replace("\n", " ")
