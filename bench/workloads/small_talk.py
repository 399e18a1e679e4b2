# SPDX-License-Identifier: Apache-2.0
"""What programs ask of a dict beside reading and writing: its size, setdefault, pop."""

from __future__ import annotations

from collections.abc import Iterator

from harness import Row, Scale, alternate, check, str_keys

from UltraDict import UltraDict

GOALS = {
    "for k in keys: len(d)": 1.3,
    "for k in keys: bool(d)": 1.3,
    "for k in keys: d.setdefault(k, 0)": 2.0,
    "for k in keys: d[k, 0] = k; d.pop((k, 0))": 6.0,
}


def measure(scale: Scale) -> Iterator[Row]:
    """Each statement on 10,000 keys that are there."""
    keys = str_keys(scale.of(10_000, 1_000))
    plain = {key: number for number, key in enumerate(keys)}
    shared: UltraDict[str, int] = UltraDict(plain)
    with shared:
        check("setdefault", [shared.setdefault(key, -1) for key in keys], list(range(len(keys))))
        ours, beside = ({"d": d, "keys": keys} for d in (shared, plain))
        for statement, goal in GOALS.items():
            pair = alternate(statement, ours, beside, len(keys), scale.of(31, 3), scale.of(5, 1))
            yield pair.row("small talk", statement, goal)
        check("nothing changed", shared.to_dict(), plain)
