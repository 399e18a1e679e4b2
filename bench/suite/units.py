# SPDX-License-Identifier: Apache-2.0
"""Figures as people read them: three digits and the unit that fits."""

from __future__ import annotations

from collections.abc import Callable

STEPS = {
    "rate": ((1e6, " M"), (1e3, " k"), (1.0, "")),
    "ns": ((1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1.0, " ns")),
    "bytes": ((2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"), (1.0, " B")),
}
PLAIN: dict[str, Callable[[float], str]] = {
    "ms": lambda value: f"{digits(value)} ms",
    "count": lambda value: f"{value:,.0f}",
    "share": lambda value: f"{value:.3f}" if value < 0.01 else f"{value:.2f}",
}
BEST_FIRST = {"rate": True, "count": True}  # the larger the better; otherwise the smaller


def shown(value: float, unit: str) -> str:
    """A figure with its unit."""
    if unit in PLAIN:
        return PLAIN[unit](value)
    size, name = next((step for step in STEPS[unit] if value >= step[0]), STEPS[unit][-1])
    return digits(value / size) + name


def digits(value: float) -> str:
    """Three of them, or all before the point."""
    if value == 0:
        return "0"
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.1f}" if abs(value) >= 9.995 else f"{value:.2f}"
