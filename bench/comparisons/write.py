# SPDX-License-Identifier: Apache-2.0
"""Overwriting: the same key always, and every key equally often."""

from __future__ import annotations

from typing import Any

from suite.family import Family, Figures, Scale, Table, always, single_columns
from suite.loops import check_values, each, grouped, operations
from suite.member import Member
from suite.patterns import numbers
from suite.team import Team

FAMILY = Family(
    title="Writing",
    text="One process overwrites int values; nobody reads.",
    variants=("hot", "uniform"),
    needs=always("keys"),
    tables=(
        Table("Write one hot key", single_columns("hot"), "write-hot"),
        Table("Write all keys, uniformly", single_columns("uniform"), "write-uniform"),
    ),
)
ADDED = 1_000_000  # to the number of a key: its new value


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    figures: Figures = team.call(write, pattern=variant, count=team.count, seconds=scale.seconds)
    return figures


def write(member: Member, pattern: str, count: int, seconds: float) -> dict[str, Any]:
    """Uniformly, each key gets always the same new value; the hot one is counted up, and set once more in the end."""
    keys, picks = member.keys(count), numbers(pattern, count)
    values = range(len(picks)) if pattern == "hot" else [number + ADDED for number in picks]
    pairs = [(keys[number], value) for number, value in zip(picks, values)]
    items, target = grouped(member, pairs), "k, v" if member.store.batch == 1 else "k"
    figures = operations(member, member.store.write, items, seconds, target)
    written = pairs[: min(figures["operations"], len(pairs) // 2)]
    if pattern == "hot":
        written = [(keys[0], ADDED)]
        each(member, member.store.write, target)(grouped(member, written))
    check_values(member, "write", dict(written))
    return figures
