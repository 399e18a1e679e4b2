# SPDX-License-Identifier: Apache-2.0
"""How long a process waits for its first value out of a large dict that another process made.

Each sample is a process of its own that has one dict open already and then attaches to the large one: the second dict
of its life. How fast it is when it comes back to the same dict is a note beside the figure.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from harness import Row, Scale, check

from processes import in_new_process
from UltraDict import UltraDict

STATEMENT = "UltraDict(name=name, create=False)[k]"
GOAL_MS = 0.3
RETURNS = 5


def attach_and_read(name: str, key: int) -> tuple[float, int]:
    """Attach, read one key, leave: the milliseconds until the value was there, and the value."""
    started = time.perf_counter()
    shared: UltraDict[int, int] = UltraDict(name=name, create=False)
    value = shared[key]
    elapsed_ms = (time.perf_counter() - started) * 1000
    shared.close(data=False)
    return elapsed_ms, value


def sample(name: str, key: int) -> list[tuple[float, int]]:
    """In a process of its own: open a first dict, then attach, and attach again."""
    first: UltraDict[str, int] = UltraDict({"first": 1})
    with first:
        check("first dict", first["first"], 1)
        return [attach_and_read(name, key) for _ in range(1 + RETURNS)]


def measure(scale: Scale) -> Iterator[Row]:
    """Attach to 1,000,000 keys and read one."""
    count, key = scale.of((1_000_000, 500_000), (50_000, 25_000))
    shared: UltraDict[int, int] = UltraDict({number: 3 * number for number in range(count)})
    with shared:
        samples = [in_new_process(sample, shared.name, key) for _ in range(scale.of(15, 3))]
    check(STATEMENT, {value for answers in samples for _, value in answers}, {3 * key})
    firsts = [answers[0][0] for answers in samples]
    returns = [ms for answers in samples for ms, _ in answers[1:]]
    note = f"slowest {max(firsts):.3f} ms; coming back {statistics.median(returns):.3f} ms"
    yield Row(f"attach to {count:,} keys, read one", STATEMENT, statistics.median(firsts), "ms", GOAL_MS, note=note)
