# SPDX-License-Identifier: Apache-2.0
"""Many new keys at once, beside a loop that assigns them one by one: that of a plain dict, and our own.

`dict.update` into an empty dict copies the table of its source and is no yardstick.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness import Row, Scale, check, timed_ns

from UltraDict import UltraDict

LOOP = "for k, v in items: d[k] = v"
UPDATE = "d.update(source)"
GOAL = 6.0


def measure(scale: Scale) -> Iterator[Row]:
    """100,000 new int keys into an empty dict."""
    count = scale.of(100_000, 5_000)
    source = {number: number + 1 for number in range(count)}
    items = list(source.items())
    times: dict[str, list[float]] = {"update": [], "our loop": [], "plain loop": []}
    for _ in range(scale.of(9, 3)):
        plain: dict[int, int] = {}
        times["plain loop"].append(timed_ns(LOOP, {"d": plain, "items": items}))
        for name, statement in (("update", UPDATE), ("our loop", LOOP)):
            shared: UltraDict[Any, Any] = UltraDict()
            with shared:
                names: dict[str, Any] = {"d": shared, "source": source, "items": items}
                times[name].append(timed_ns(statement, names))
                check(statement, shared.to_dict(), source)
    update, own, beside = (sorted(values)[len(values) // 2] / count for values in times.values())
    yield Row("update with new keys", UPDATE, update / beside, "x", GOAL, update, beside, "beside a plain dict's loop")
    yield Row("update with new keys", UPDATE, update / own, "x", 1.0, update, own, "beside our own loop")
