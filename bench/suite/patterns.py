# SPDX-License-Identifier: Apache-2.0
"""Which keys are used, in which order: the same for every store and in every run."""

from __future__ import annotations

import itertools
import random

PICKS = 100_000


def numbers(pattern: str, count: int, picks: int = PICKS) -> list[int]:
    """Numbers of keys: always the first one, all with the same probability, or the n-th with one like 1/n."""
    generator = random.Random(count)
    picks = min(picks, max(count, 1000))
    if pattern == "hot":
        return [0] * picks
    if pattern == "uniform":
        return generator.choices(range(count), k=picks)
    weights = list(itertools.accumulate(1 / rank for rank in range(1, count + 1)))
    order = list(range(count))
    generator.shuffle(order)
    return generator.choices(order, cum_weights=weights, k=picks)
