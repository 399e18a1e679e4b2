# SPDX-License-Identifier: Apache-2.0
"""Makes docs/benchmarks.md, its plots and the table of README from the results of bench/versus.py.

`bench/report.py [FILE]` writes them, `--check` says whether they are what it would write.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import comparisons
from machine import REPOSITORY
from suite import goals, tables
from suite.family import Column, Family
from suite.plots import plot
from suite.results import Results

RESULTS = REPOSITORY / "bench" / "results" / "versus.json"
DOCUMENT = Path("docs/benchmarks.md")
PLOTS = Path("docs/benchmarks")
README = Path("README.md")
BEGIN, END = "<!-- from bench/report.py -->", "<!-- end of bench/report.py -->"
SHORT = (
    ("read", Column("read a hot key", "hot", "per_s", "rate")),
    ("read", Column("read all keys evenly", "uniform", "per_s", "rate")),
    ("write", Column("write a hot key", "hot", "per_s", "rate")),
    ("write", Column("write all keys evenly", "uniform", "per_s", "rate")),
    ("counter", Column("count up, 4 processes", "4", "per_s", "rate")),
    ("writers", Column("p99.9 of a write, 4 writers", "4", "p999_ns", "ns")),
    ("propagation", Column("seen by another process after", "one_way", "p50_ns", "ns")),
)
INTRODUCTION = """# Beside the others

Every store that one might take instead of a dict in shared memory, put through the same work. This document, its plots
and the table of the README are made from one file of results, [{name}](../bench/results/{name}):
`make versus` measures anew and writes them again; `make versus-quick` looks at it roughly, in a few minutes.

How it is measured:

- Every store runs in processes of its own, with an interpreter of its own, at a pinned version. Servers listen on
  loopback or a unix socket, with persistence off; files lie in memory.
- An operation stands in the timed loop as it would in a program; keys are converted beforehand, values are ints. Byte
  stores take and give decimal digits for them, the cheapest conversion there is.
- Stores take their turns in rounds: every store once, then again. A figure is the median over the rounds; the least and
  the most of them stand behind it in brackets.
- Throughput and single operations are timed in separate loops. The time of one operation contains that of the clock
  (about {timer:.0f} ns here); nothing is subtracted.
- No figure counts before the answers were compared with a reference. A wrong answer of ours fails the run; that of a
  peer is shown as **wrong**, and [told below](#wrong-answers).
- As many processes as there are processors have one each; more of them share all.
- p99 needs a thousand operations in a round and p99.9 ten thousand: with less stands "few". They count operations, not
  time: who waits for a second does one where another does a million. The longest is that of all rounds.
- "-" is what a store does not offer; the reasons are [listed](#what-a-store-does-not-offer). A store that has no part
  in a workload at all is left out of its table.
"""
AWAKE = """- While a store that asks another process is measured, one of the lowest priority keeps the processors
  awake: an answer that has to wake one takes several times as long.
"""


UNSTEADY = (
    "**The machine was not steady: the time to read its clock changed. What stands here says as much of who else used "
    "it as of the stores.**"
)


def document(results: Results, name: str) -> str:
    """docs/benchmarks.md."""
    introduction = INTRODUCTION + (AWAKE if results.content.get("awake") else "")
    parts = [introduction.format(name=name, timer=timer(results)), *where(results), *judged(results)]
    for workload in results.content["workloads"]:
        parts += section(results, workload, comparisons.module(workload).FAMILY)
    parts += tables.cpp(results)
    parts += ["## Wrong answers", "", *tables.reasons(results, "wrong", "There was none."), ""]
    parts += ["## What failed", "", *tables.reasons(results, "failed", "Nothing did."), ""]
    parts += ["## What could not be installed", "", *tables.not_installed(results), ""]
    parts += ["## What a store does not offer", "", *tables.reasons(results, "cannot", "Nothing."), ""]
    parts += ["## Settings and versions", "", *tables.settings(results)]
    return "\n".join(parts) + "\n"


def timer(results: Results) -> float:
    figure = results.figure("read", "hot", goals.OURS, "timer_ns")
    return figure.median if figure else 0.0


def where(results: Results) -> list[str]:
    """The machine and the extent of the run."""
    machine, scale = results.content["machine"], results.content["scale"]
    lines = [f"| {name} | {value} |" for name, value in machine.items()]
    extent = (
        f"{scale['name']} run of {results.content['date']}: {scale['rounds']} rounds, {scale['keys']:,} keys, "
        f"{results.content['seconds'] / 60:.0f} minutes"
    )
    if clock := results.clock():
        usual = f"{clock.least:.0f} to {clock.most:.0f}"
        lines.append(f"| clock | {clock.median:.0f} ns to read it, nearly always {usual} |")
    warnings = []
    if scale["name"] != "full":
        warnings += ["", "**A quick run: its figures are rough, and say little about goals.**"]
    if not results.steady():
        warnings += ["", tables.filled(UNSTEADY)]
    return ["## Where", "", "| | |", "|---|---|", f"| run | {extent} |", *lines, *warnings, ""]


def judged(results: Results) -> list[str]:
    """The goals."""
    found = goals.judge(results)
    rows = [[goal.text, goal.bound, goal.figure, goal.verdict(), goal.note] for goal in found]
    count = f"{sum(goal.met is True for goal in found)} met, {sum(goal.met is False for goal in found)} missed, "
    count += f"{sum(goal.met is None for goal in found)} cannot be said."
    text = (
        "Reads and writes are judged for a hot key, where the work of the store is seen, and for keys all over memory, "
        "where that of the memory is: what a plain dict itself reaches stands beside it. The worst pattern counts. "
        + count
    )
    heading = ["goal", "bound", "figure", "", "where, or why not"]
    return ["## Goals", "", tables.filled(text), "", *tables.markdown(heading, rows), ""]


def section(results: Results, workload: str, family: Family) -> list[str]:
    """A workload with its tables and plots."""
    parts = [f"## {family.title}", "", tables.filled(family.text), ""]
    for table in family.tables:
        parts += [f"### {table.title}", "", *tables.figures(results, workload, table), ""]
        if table.plot and plot(results, workload, table):
            parts += [f"![{table.title}]({PLOTS.name}/{table.plot}.svg)", ""]
    return parts


def plots(results: Results) -> dict[Path, str]:
    """All pictures by their files."""
    found = {}
    for workload in results.content["workloads"]:
        for table in comparisons.module(workload).FAMILY.tables:
            picture = plot(results, workload, table) if table.plot else ""
            if picture:
                found[PLOTS / f"{table.plot}.svg"] = picture
    return found


def short_table(results: Results) -> str:
    """The table of the README."""
    heading = ["operations a second", *(column.heading for _, column in SHORT)]
    rows = []
    for store in results.stores():
        cells = [tables.cell(results, workload, store, column) for workload, column in SHORT]
        if any(cells):
            rows.append([tables.title(results, store), *cells])
    machine, scale = results.content["machine"], results.content["scale"]
    kind = "" if scale["name"] == "full" else "A quick run, with rough figures. "
    shared = "" if results.steady() else " Others had a share of the machine, which changed meanwhile."
    text = f"{kind}{machine['machine']}; {machine['python'].split(' (')[0]}.{shared} All figures, settings and plots: "
    return "\n".join([*tables.markdown(heading, rows), "", tables.filled(f"{text}[docs/benchmarks.md]({DOCUMENT}).")])


def readme(results: Results, text: str) -> str:
    """README with its table replaced."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{README}: no lines {BEGIN} and {END} for the table to stand between")
    return f"{before}{begin}\n{short_table(results)}\n{end}{after}"


def made(results: Results, name: str) -> dict[Path, str]:
    """Everything that is made, by file."""
    text = (REPOSITORY / README).read_text("utf-8")
    return {DOCUMENT: document(results, name), README: readme(results, text), **plots(results)}


def differing(files: dict[Path, str]) -> list[str]:
    """Files that are not what they would be."""
    here = {file: REPOSITORY / file for file in files}
    return [str(file) for file, path in here.items() if not path.is_file() or path.read_text("utf-8") != files[file]]


def main() -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="?", type=Path, default=RESULTS, metavar="FILE")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if something differs")
    options = parser.parse_args()
    files = made(Results.read(options.results), options.results.name)
    changed = differing(files)
    print("\n".join(changed) or "report: everything is as it would be made")
    if options.check:
        return 1 if changed else 0
    for old in set((REPOSITORY / PLOTS).glob("*.svg")) - {REPOSITORY / file for file in files}:
        old.unlink()
    for file in changed:
        (REPOSITORY / file).parent.mkdir(parents=True, exist_ok=True)
        (REPOSITORY / file).write_text(files[Path(file)], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
