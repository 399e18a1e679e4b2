# SPDX-License-Identifier: Apache-2.0
"""Thousands of small dicts in one process that may open 256 files: made by one process, attached by another."""

from __future__ import annotations

import resource
import statistics
from collections.abc import Iterator
from time import perf_counter_ns

from harness import Row, Scale, check

from processes import in_new_process
from UltraDict import UltraDict

CREATE, ATTACH = "UltraDict(n=n)", "UltraDict(name=name, create=False)['n']"
FILES_MAX = 256
CREATE_GOAL_US = 200.0
ATTACH_GOAL_US = 100.0


def measure(scale: Scale) -> Iterator[Row]:
    """All of them stay open to the end."""
    creations, attachments = in_new_process(create_all, scale.of(2_000, 100))
    yield row("create", CREATE, creations, CREATE_GOAL_US)
    yield row("attach and read first", ATTACH, attachments, ATTACH_GOAL_US)


def row(what: str, statement: str, times: list[int], goal_us: float) -> Row:
    """The median of one dict."""
    note = f"median; slowest {max(times) / 1000:.0f} us; at most {FILES_MAX} open files"
    return Row(
        f"{what}, {len(times):,} small dicts", statement, statistics.median(times) / 1000, "us", goal_us, note=note
    )


def create_all(count: int) -> tuple[list[int], list[int]]:
    """The one process: nanoseconds of each creation, and what the other process measured meanwhile."""
    limit_files()
    dicts: list[UltraDict[str, int]] = []
    times = []
    for n in range(count):
        started = perf_counter_ns()
        dicts.append(UltraDict(n=n))
        times.append(perf_counter_ns() - started)
    return times, in_new_process(attach_all, [d.name for d in dicts])


def attach_all(names: list[str]) -> list[int]:
    """The other process: nanoseconds until the first value of each was there."""
    limit_files()
    dicts, values, times = [], [], []
    for name in names:
        started = perf_counter_ns()
        shared: UltraDict[str, int] = UltraDict(name=name, create=False)
        values.append(shared["n"])
        times.append(perf_counter_ns() - started)
        dicts.append(shared)
    check(ATTACH, values, list(range(len(names))))
    check(ATTACH, [shared["n"] for shared in dicts], values)
    return times


def limit_files() -> None:
    """As `ulimit -n 256` does."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES_MAX, FILES_MAX))
