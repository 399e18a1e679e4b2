# SPDX-License-Identifier: Apache-2.0
"""Times of single operations, counted in steps of about one per cent, so that those of several processes add up."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

STEPS = 64  # a doubling has so many
SLOW_NS = 1_000_000
QUANTILES = {"p50_ns": 0.5, "p99_ns": 0.99, "p999_ns": 0.999}


class Distribution:
    """Counts by size; the largest is exact."""

    def __init__(self, counts: Mapping[int, int], largest: int) -> None:
        self.counts = counts
        self.largest = largest

    @classmethod
    def of(cls, times: Mapping[int, int]) -> Distribution:
        """From nanoseconds and how often each was seen."""
        counts: Counter[int] = Counter()
        for nanoseconds, count in times.items():
            counts[round(math.log2(max(nanoseconds, 1)) * STEPS)] += count
        return cls(counts, max(times, default=0))

    @classmethod
    def merged(cls, parts: Iterable[Mapping[str, object]]) -> Distribution:
        """Of several processes, as `sent` gave them."""
        counts: Counter[int] = Counter()
        largest = 0
        for part in parts:
            counts.update({int(step): count for step, count in part["counts"].items()})  # type: ignore[attr-defined]
            largest = max(largest, part["largest"])  # type: ignore[call-overload]
        return cls(counts, largest)

    def sent(self) -> dict[str, object]:
        """As JSON takes it."""
        return {"counts": {str(step): count for step, count in self.counts.items()}, "largest": self.largest}

    def quantile(self, share: float) -> float:
        """The time that this share of all operations did not exceed; never more than the longest."""
        wanted = share * sum(self.counts.values())
        seen = 0
        for step in sorted(self.counts):
            seen += self.counts[step]
            if seen >= wanted:
                return float(min(2 ** (step / STEPS), self.largest))
        return float(self.largest)

    def figures(self) -> dict[str, float]:
        """What the results tell of it."""
        quantiles = {name: round(self.quantile(share), 1) for name, share in QUANTILES.items()}
        slow = {"slow_share": self.share_of_time(SLOW_NS)}
        return {**quantiles, **slow, "max_ns": self.largest, "samples": sum(self.counts.values())}

    def share_of_time(self, bound: int) -> float:
        """Of all the time, that which went into operations longer than a bound: a quantile counts operations, and who
        waits for a second does one where another does a million."""
        spent = {step: 2 ** (step / STEPS) * count for step, count in self.counts.items()}
        total = sum(spent.values())
        return sum(time for step, time in spent.items() if 2 ** (step / STEPS) > bound) / total if total else 0.0
