# SPDX-License-Identifier: Apache-2.0
"""Overwriting small values, long enough that the cleaning of the log is paid for within the measurement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness import Row, Scale, alternate, check, int_keys

from UltraDict import UltraDict

STATEMENT = "for k in keys: d[k] = v"
GOAL = 5.0
VALUES: tuple[tuple[str, Sequence[Any]], ...] = (
    ("small int", tuple(range(100, 200))),
    ("short str", tuple(f"value {number}" for number in range(100))),
)


def measure(scale: Scale) -> Iterator[Row]:
    """`d[k] = v` over int keys: 20 repetitions of 5 loops over 20,000 keys are 2,000,000 writes."""
    keys = int_keys(scale.of(20_000, 2_000))
    repetitions, loops = scale.of(20, 5), scale.of(5, 10)
    for kind, values in VALUES:
        plain: dict[int, Any] = dict.fromkeys(keys)
        shared: UltraDict[Any, Any] = UltraDict(plain)
        with shared:
            ours, beside = ({"d": d, "keys": keys, "v": values[0]} for d in (shared, plain))
            pair = alternate(STATEMENT, ours, beside, len(keys), repetitions, loops)
            check(STATEMENT, dict(shared), plain)
            check(STATEMENT, shared[keys[-1]], values[0])
        writes = len(keys) * repetitions * loops
        yield pair.row(f"overwrite with a {kind}", STATEMENT, GOAL, f"{writes:,} writes")
