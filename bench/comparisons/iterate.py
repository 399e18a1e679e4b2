# SPDX-License-Identifier: Apache-2.0
"""All items, one after the other."""

from __future__ import annotations

import time
from typing import Any

from harness import check
from suite.family import Column, Family, Figures, Scale, Table, always
from suite.loops import compiled
from suite.member import Member
from suite.team import Team

FAMILY = Family(
    title="Iterating",
    text="Every key with its value, once; the fastest way that the store offers.",
    variants=("items",),
    needs=always("keys", "iterate"),
    tables=(Table("Iterate over all items", (Column("items/s", "items", "per_s", "rate", True),), "iterate"),),
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    figures: Figures = team.call(iterate, count=team.count, seconds=scale.seconds)
    return figures


def iterate(member: Member, count: int, seconds: float) -> dict[str, Any]:
    """As many rounds as fit, at least one."""
    names, text = member.store.names(), member.store.iterate
    found = compiled(names, f"return dict({text})")([])
    check("items", {as_text(key): value for key, value in found.items()}, {f"key{n}": n for n in range(count)})
    loop = compiled(names, f"for item in {text}: pass")
    rounds, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds or not rounds:
        loop([])
        rounds += 1
    elapsed = time.perf_counter() - started
    return {"per_s": rounds * count / elapsed}


def as_text(key: Any) -> str:
    """A key as it was before the store had its way."""
    return key.decode() if isinstance(key, bytes) else str(key)
