# SPDX-License-Identifier: Apache-2.0
"""What several readers reach together."""

from __future__ import annotations

from suite.contention import by_count, prepare_loops, run_loops, together
from suite.family import Column, Family, Figures, Scale, Table, always, processes_text
from suite.loops import check_values, grouped
from suite.member import Member
from suite.patterns import numbers
from suite.team import Team

COUNTS = (1, 2)
FAMILY = Family(
    title="Several readers",
    text="All keys, uniformly; reads a second of all processes together.",
    variants=tuple(map(str, COUNTS)),
    processes=by_count,
    needs=always("keys", "single"),
    tables=(
        Table(
            "Total read throughput",
            tuple(Column(processes_text(count), str(count), "per_s", "rate", True) for count in COUNTS),
            "read-total",
        ),
    ),
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    count = by_count(variant)
    team.all_call(count, prepare, keys=team.count)
    return together(team.together(count, run_loops, scale.team_seconds))


def prepare(member: Member, index: int, count: int, keys: int) -> None:
    """Each reader begins elsewhere."""
    all_keys, picks = member.keys(keys), numbers("uniform", keys)
    picks = picks[index * 1000 % len(picks) :] + picks[: index * 1000 % len(picks)]
    check_values(member, "read", {all_keys[number]: number for number in picks})
    prepare_loops(member, member.store.read, "k", grouped(member, [all_keys[number] for number in picks]))
