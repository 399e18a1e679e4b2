# SPDX-License-Identifier: Apache-2.0
"""Asking for keys that are there, and for keys that are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness import Row, Scale, alternate, check, key_sets

from UltraDict import UltraDict

STATEMENTS = ("for k in keys: k in d", "for k in keys: d.get(k)")
GOALS = {"present": 1.4, "missing": 3.0}


def measure(scale: Scale) -> Iterator[Row]:
    """`k in d` and `d.get(k)`, on both kinds of keys."""
    for kind, all_keys in key_sets(scale.of(40_000, 4_000)):
        half = len(all_keys) // 2
        present, missing = all_keys[:half], all_keys[half:]
        plain = {key: number for number, key in enumerate(present)}
        shared: UltraDict[Any, Any] = UltraDict(plain)
        with shared:
            for where, keys in (("present", present), ("missing", missing)):
                yield from measure_keys(scale, f"{where}, {kind} keys", shared, plain, keys, GOALS[where])


def measure_keys(
    scale: Scale, name: str, shared: UltraDict[Any, Any], plain: dict[Any, int], keys: Sequence[Any], goal: float
) -> Iterator[Row]:
    """Both statements over these keys."""
    check("k in d", [key in shared for key in keys], [key in plain for key in keys])
    check("d.get(k)", [shared.get(key) for key in keys], [plain.get(key) for key in keys])
    ours, beside = ({"d": d, "keys": keys} for d in (shared, plain))
    for statement in STATEMENTS:
        pair = alternate(statement, ours, beside, len(keys), scale.of(31, 3), scale.of(20, 2))
        yield pair.row(name, statement, goal)
