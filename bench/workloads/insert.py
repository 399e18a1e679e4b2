# SPDX-License-Identifier: Apache-2.0
"""Filling an empty dict key by key: growth, with all of its page faults, is part of what is measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from harness import Pair, Row, Scale, check, int_keys, timed_ns

from UltraDict import UltraDict

STATEMENT = "for k in keys: d[k] = k"
GOAL = 8.0


def measure(scale: Scale) -> Iterator[Row]:
    """New int keys into a new UltraDict and into a new dict, in turn."""
    keys = int_keys(scale.of(1_000_000, 50_000))
    ours_ns, plain_ns = [], []
    for _ in range(scale.of(5, 2)):
        plain: dict[int, int] = {}
        plain_ns.append(timed_ns(STATEMENT, {"d": plain, "keys": keys}))
        shared: UltraDict[int, int] = UltraDict()
        with shared:
            ours_ns.append(timed_ns(STATEMENT, {"d": shared, "keys": keys}))
            check(STATEMENT, list(shared.items()), list(plain.items()))
    pair = Pair(statistics.median(ours_ns) / len(keys), statistics.median(plain_ns) / len(keys))
    yield pair.row(f"insert {len(keys):,} new keys, from empty", STATEMENT, GOAL)
