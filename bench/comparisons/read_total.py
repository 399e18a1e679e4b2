# SPDX-License-Identifier: Apache-2.0
"""What several readers reach together."""

from __future__ import annotations

from suite.contention import by_count, prepare_loops, run_loops, together
from suite.family import Column, Family, Figures, Scale, Table, always, processes_text
from suite.loops import check_values, each, grouped, warm_up
from suite.member import Member
from suite.patterns import numbers
from suite.team import Team

COUNTS = (1, 2)
WARM_UP = 10  # times what is measured of one process
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
    team.all_call(count, prepare, keys=team.count, seconds=scale.seconds)
    return together(team.together(count, run_loops, scale.team_seconds))


def prepare(member: Member, index: int, count: int, keys: int, seconds: float) -> None:
    """Each reader begins elsewhere."""
    all_keys, picks = member.keys(keys), numbers("uniform", keys)
    picks = picks[index * 1000 % len(picks) :] + picks[: index * 1000 % len(picks)]
    check_values(member, "read", {all_keys[number]: number for number in picks})
    items = grouped(member, [all_keys[number] for number in picks])
    warm_up(each(member, member.store.read), items, WARM_UP * seconds)
    prepare_loops(member, member.store.read, "k", items)
