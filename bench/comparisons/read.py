# SPDX-License-Identifier: Apache-2.0
"""Reading: the same key always, every key equally often, and a few keys most of the time."""

from __future__ import annotations

from typing import Any

from suite.family import Family, Figures, Scale, Table, always, single_columns
from suite.loops import check_values, grouped, operations
from suite.member import Member
from suite.patterns import numbers
from suite.team import Team

FAMILY = Family(
    title="Reading",
    text="One process reads; nobody writes. Uniform: every key equally often; Zipf: the n-th key as often as 1/n.",
    variants=("hot", "uniform", "zipf"),
    needs=always("keys"),
    tables=(
        Table("Read one hot key", single_columns("hot"), "read-hot"),
        Table("Read all keys, uniformly", single_columns("uniform"), "read-uniform"),
        Table("Read all keys, Zipf", single_columns("zipf"), "read-zipf"),
    ),
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    figures: Figures = team.call(read, pattern=variant, count=team.count, seconds=scale.seconds)
    return figures


def read(member: Member, pattern: str, count: int, seconds: float) -> dict[str, Any]:
    """The value of a key is its number."""
    keys, picks = member.keys(count), numbers(pattern, count)
    expected = {keys[number]: number for number in picks}
    check_values(member, "read", expected)
    figures = operations(member, member.store.read, grouped(member, [keys[number] for number in picks]), seconds)
    check_values(member, "read", expected)
    return figures
