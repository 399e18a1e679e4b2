# SPDX-License-Identifier: Apache-2.0
"""Read, modify and write under the lock of the dict, beside a plain dict that needs none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness import Row, Scale, alternate, check, int_keys

from UltraDict import UltraDict

STATEMENT = "for k in keys:\n with d.lock: d[k] += 1"
PLAIN_STATEMENT = "for k in keys: d[k] += 1"
GOAL = 8.0


def measure(scale: Scale) -> Iterator[Row]:
    """Increments of 20,000 counters."""
    keys = int_keys(scale.of(20_000, 2_000))
    plain = dict.fromkeys(keys, 0)
    shared: UltraDict[Any, Any] = UltraDict(plain)
    with shared:
        ours, beside = ({"d": d, "keys": keys} for d in (shared, plain))
        repetitions, loops = scale.of(21, 3), scale.of(5, 2)
        pair = alternate(STATEMENT, ours, beside, len(keys), repetitions, loops, PLAIN_STATEMENT)
        check(STATEMENT, dict(shared), dict.fromkeys(keys, repetitions * loops))
        check(STATEMENT, dict(shared), plain)
    yield pair.row("increment under the lock", "with d.lock: d[k] += 1", GOAL)
