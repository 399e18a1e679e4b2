# SPDX-License-Identifier: Apache-2.0
"""Reading keys that nobody changes: what most programs do most of the time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness import Row, Scale, alternate, check, key_sets

from UltraDict import UltraDict

STATEMENT = "for k in keys: d[k]"
GOAL = 1.3


def measure(scale: Scale) -> Iterator[Row]:
    """`d[k]` on both kinds of keys."""
    for kind, keys in key_sets(scale.of(20_000, 2_000)):
        plain = {key: number for number, key in enumerate(keys)}
        shared: UltraDict[Any, Any] = UltraDict(plain)
        with shared:
            check(STATEMENT, [shared[key] for key in keys], [plain[key] for key in keys])
            ours, beside = ({"d": d, "keys": keys} for d in (shared, plain))
            pair = alternate(STATEMENT, ours, beside, len(keys), scale.of(31, 3), scale.of(20, 2))
            yield pair.row(f"read, {kind} keys", STATEMENT, GOAL)
