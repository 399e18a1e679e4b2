# SPDX-License-Identifier: Apache-2.0
"""Overwriting: the same key always, and every key equally often."""

from __future__ import annotations

from typing import Any

from suite.family import Family, Figures, Scale, Table, always, single_columns
from suite.loops import check_values, grouped, operations, write_in_time
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
ADDED = 1_000_000  # to the number of a key, once and twice in turn: no write finds what it writes
CHECKED = 2_000  # keys that are written once more in the end


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    figures: Figures = team.call(write, pattern=variant, count=team.count, seconds=scale.seconds)
    return figures


def write(member: Member, pattern: str, count: int, seconds: float) -> dict[str, Any]:
    """The hot key is counted up. What is written last is checked."""
    keys, picks = member.keys(count), numbers(pattern, count)
    if pattern == "hot":
        pairs = [(keys[number], value) for value, number in enumerate(picks)]
    else:
        pairs = [(keys[number], number + added) for added in (ADDED, 2 * ADDED) for number in picks]
    target = "k, v" if member.store.batch == 1 else "k"
    figures = operations(member, member.store.write, grouped(member, pairs), seconds, target)
    last = {keys[number]: number + 3 * ADDED for number in picks[:CHECKED]}
    check_values(member, "write", write_in_time(member, list(last.items())))
    return figures
