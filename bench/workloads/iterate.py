# SPDX-License-Identifier: Apache-2.0
"""Loops over everything, from objects that are decoded already."""

from __future__ import annotations

from collections.abc import Iterator

from harness import Row, Scale, alternate, check

from UltraDict import UltraDict

STATEMENTS = ("for k in d: pass", "for k, v in d.items(): pass", "for v in d.values(): pass")
GOAL = 2.5


def measure(scale: Scale) -> Iterator[Row]:
    """Keys, items and values of 100,000 cached items."""
    count = scale.of(100_000, 5_000)
    plain = {number: number + 1 for number in range(count)}
    shared: UltraDict[int, int] = UltraDict(plain)
    with shared:
        check("items", list(shared.items()), list(plain.items()))
        for statement in STATEMENTS:
            pair = alternate(statement, {"d": shared}, {"d": plain}, count, scale.of(15, 3), scale.of(3, 1))
            yield pair.row("loop over everything", statement, GOAL)
