# SPDX-License-Identifier: Apache-2.0
"""Whether a write costs more in a large dict than in a small one.

One key overwritten again and again meets only the cleaning, which moves more live records in a large dict. Keys drawn
uniformly meet the processor's caches as well, so there the figure is held against what a plain dict pays for its size.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from harness import Pair, Row, Scale, alternate, check, int_keys

from UltraDict import UltraDict

ONE_KEY = "for v in values: d[k] = v"
DRAWN_KEYS = "for k in keys: d[k] = v"
ONE_KEY_GOAL = 2.5
DRAWN_KEYS_GOAL = 1.5
SEED = 20_000


def measure(scale: Scale) -> Iterator[Row]:
    """A dict of 1,000,000 keys beside one of 10,000."""
    large, small = (dict.fromkeys(int_keys(count), 0) for count in scale.of((1_000_000, 10_000), (50_000, 1_000)))
    shared_large: UltraDict[int, int] = UltraDict(large)
    shared_small: UltraDict[int, int] = UltraDict(small)
    with shared_large, shared_small:
        yield measure_one_key(scale, shared_large, shared_small)
        yield measure_drawn_keys(scale, (shared_large, shared_small), (large, small))


def measure_one_key(scale: Scale, large: UltraDict[int, int], small: UltraDict[int, int]) -> Row:
    """One key, 5,000,000 times in each dict."""
    writes, repetitions = scale.of(5_000_000, 20_000), scale.of(3, 3)
    key = len(small) // 2
    ours, beside = ({"d": d, "k": key, "values": range(writes)} for d in (large, small))
    pair = alternate(ONE_KEY, ours, beside, writes, repetitions)
    for d in (large, small):
        check(ONE_KEY, (d[key], sum(d.values())), (writes - 1, writes - 1))
        d[key] = 0
    name = f"overwrite one key, {len(large):,} keys : {len(small):,}"
    return pair.row(name, ONE_KEY, ONE_KEY_GOAL, f"{writes:,} writes a repetition")


def measure_drawn_keys(
    scale: Scale, ours: tuple[UltraDict[int, int], UltraDict[int, int]], plain: tuple[dict[int, int], dict[int, int]]
) -> Row:
    """Keys drawn uniformly: our large dict to our small one, over the same of plain dicts."""
    writes, repetitions = scale.of(5_000_000, 20_000), scale.of(3, 3)
    pairs = [size_pair(pair, writes, repetitions) for pair in (ours, plain)]
    for mine, other in zip(ours, plain):
        check(DRAWN_KEYS, dict(mine), other)
    note = f"ours {pairs[0].ratio:.2f} x, plain dict {pairs[1].ratio:.2f} x; {writes:,} writes a repetition"
    name = f"overwrite drawn keys, {len(plain[0]):,} keys : {len(plain[1]):,}"
    return Row(name, DRAWN_KEYS, pairs[0].ratio / pairs[1].ratio, "x", DRAWN_KEYS_GOAL, pairs[0].ours_ns, note=note)


def size_pair(dicts: tuple[Any, Any], writes: int, repetitions: int) -> Pair:
    """The large one and the small one of a kind; equally seeded, so that both kinds meet the same keys."""
    drawing = random.Random(SEED)
    names = [{"d": d, "keys": drawing.choices(list(d), k=writes), "v": 1} for d in dicts]
    return alternate(DRAWN_KEYS, names[0], names[1], writes, repetitions)
