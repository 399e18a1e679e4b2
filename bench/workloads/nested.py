# SPDX-License-Identifier: Apache-2.0
"""Reading through two levels of nested dicts, beside one level of the same library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness import Row, Scale, alternate, check

from UltraDict import UltraDict

STATEMENT = "for a, b in paths: d[a][b]"
FLAT_STATEMENT = "for a, b in paths: d[a]"
GOAL = 2.5


def measure(scale: Scale) -> Iterator[Row]:
    """`d[a][b]` of a hundred nested dicts with as many keys each, beside `d[a]` of a flat one."""
    side = scale.of(100, 10)
    plain = {f"outer{a}": {f"inner{b}": a * b for b in range(side)} for a in range(side)}
    paths = [(a, b) for a, inner in plain.items() for b in inner]
    shared: UltraDict[str, Any] = UltraDict(plain, recurse=True)
    flat: UltraDict[str, int] = UltraDict({a: len(inner) for a, inner in plain.items()})
    with shared, flat:
        check(STATEMENT, [shared[a][b] for a, b in paths], [plain[a][b] for a, b in paths])
        ours, beside = ({"d": d, "paths": paths} for d in (shared, flat))
        pair = alternate(STATEMENT, ours, beside, len(paths), scale.of(31, 3), scale.of(20, 2), FLAT_STATEMENT)
        yield pair.row("read through two levels", STATEMENT, GOAL, "beside one level")
