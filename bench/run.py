# SPDX-License-Identifier: Apache-2.0
"""Every figure this project promises, measured here and now: `make bench`, or `bench/run.py --quick` for a trial.

Ratios are of one run, both sides measured in turn, medians; each answer is checked before its time counts. A missed
goal is printed, it does not fail the run: machines differ. A wrong answer does.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from harness import Row, Scale, WrongAnswer
from machine import machine

WORKLOADS = (
    "read",
    "read_beside_writer",
    "look_up",
    "write",
    "overwrite_by_size",
    "attach",
    "insert",
    "locked_increment",
    "nested",
    "iterate",
    "small_talk",
    "update",
    "read_changed",
    "large_values",
    "write_latency",
    "many_dicts",
    "cache_bound",
    "data_loader",
    "engine",
)
DIGITS = {"x": 2, "ms": 3, "us": 2}
FORMAT = "{:<50} {:>9} {:>9} {:>9} {:>9}  {:<6}  {}"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes: answers are checked, goals not judged")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write machine and figures there too")
    parsed = parser.parse_args()
    unknown = set(parsed.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    return parsed


def shown(nanoseconds: float | None) -> str:
    """A time of one operation, in the unit that reads best."""
    if nanoseconds is None:
        return ""
    return f"{nanoseconds:.1f} ns" if nanoseconds < 10_000 else f"{nanoseconds / 1e6:.2f} ms"


def line(row: Row, judged: bool) -> str:
    """A row as it is printed."""
    met = {True: "met", False: "MISSED", None: ""}[row.met()] if judged else ""
    goal = "" if row.goal is None else f"<= {row.goal} {row.unit}"
    value = f"{row.value:.{DIGITS[row.unit]}f} {row.unit}"
    figures = (shown(row.ours_ns), shown(row.beside_ns), value, goal, met)
    remarks = "; ".join(filter(None, (row.statement.replace("\n", ""), row.note)))
    return FORMAT.format(row.name, *figures, remarks).rstrip()


def verdict(rows: list[Row], scale: Scale) -> str:
    """How the goals were met, in words."""
    judged = [row for row in rows if row.goal is not None]
    if scale.quick:
        return "sizes too small to judge the goals"
    return f"{sum(bool(row.met()) for row in judged)} of {len(judged)} goals met"


def run(names: list[str], scale: Scale) -> list[Row]:
    """All workloads in order, each row printed as soon as it is known."""
    rows = []
    for name in names:
        for row in importlib.import_module(f"workloads.{name}").measure(scale):
            print(line(row, judged=not scale.quick), flush=True)
            rows.append(row)
    return rows


def main() -> int:
    """Print the machine, the figures and the verdict: 0 unless an answer was wrong."""
    options = arguments()
    scale = Scale(options.quick)
    where = machine()
    for name, value in where.items():
        print(f"{name + ':':<9} {value}")
    print(FORMAT.format("", "ours", "beside", "figure", "goal", "", "statement").rstrip())
    started = time.perf_counter()
    try:
        rows = run(options.workloads or list(WORKLOADS), scale)
    except WrongAnswer as error:
        print(f"WRONG ANSWER  {error}", file=sys.stderr)
        return 1
    seconds = time.perf_counter() - started
    print(f"bench: {len(rows)} figures, all answers checked, {verdict(rows, scale)}, {seconds:.0f} s")
    if options.json:
        result = {"quick": scale.quick, **where, "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
