# SPDX-License-Identifier: Apache-2.0
"""How long the slowest single write takes while a dict grows from nothing: no write pays for all of the growth.

Every write is timed by itself, with the clock's own time in it. What else the machine did meanwhile is in the figure
too; a plain dict, which moves all of its items at once when it grows, is the note beside it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from time import perf_counter_ns
from typing import Any

from harness import Row, Scale, check

from UltraDict import UltraDict

STATEMENT = "d[k] = k"
GOAL_MS = 20.0
QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


def measure(scale: Scale) -> Iterator[Row]:
    """Small items into an empty dict."""
    count = scale.of(5_000_000, 50_000)
    shared: UltraDict[int, int] = UltraDict()
    with shared:
        ours = latencies(shared, count)
        check(STATEMENT, (len(shared), sum(shared.keys())), (count, sum(range(count))))
        check(STATEMENT, all(shared[key] == key for key in range(0, count, 97)), True)
    plain = latencies({}, count)
    note = f"{spread(ours)}; plain dict's longest {plain[-1] / 1e6:.1f} ms"
    yield Row(f"longest of {count:,} inserts", STATEMENT, ours[-1] / 1e6, "ms", GOAL_MS, note=note)


def latencies(d: Any, count: int) -> list[int]:
    """What each insertion took, in nanoseconds, in order of size."""
    times = array("q", bytes(8 * count))
    for key in range(count):
        started = perf_counter_ns()
        d[key] = key
        times[key] = perf_counter_ns() - started
    return sorted(times)


def spread(ordered: list[int]) -> str:
    """The quantiles, in microseconds."""
    found = {name: ordered[int(len(ordered) * share)] / 1000 for name, share in QUANTILES.items()}
    return ", ".join(f"{name} {value:.1f} us" for name, value in found.items())
