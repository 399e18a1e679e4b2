# SPDX-License-Identifier: Apache-2.0
"""One counter that one process to eight count up: reading, adding and writing with nobody in between."""

from __future__ import annotations

from harness import check
from suite.contention import by_count, needs_when_several, prepare_loops, run_loops, together
from suite.family import Column, Family, Figures, Scale, Table, processes_text
from suite.loops import each, values
from suite.member import Member
from suite.team import Team

COUNTS = (1, 2, 4, 8)
ITEMS = 20_000
KEY = "counter"
FAMILY = Family(
    title="A counter",
    text="Increments of one key under the lock of the store, or by its own atomic command. In the end the counter must "
    "be exactly as high as it was counted.",
    variants=tuple(map(str, COUNTS)),
    processes=by_count,
    needs=needs_when_several(("keys", "insert", "increment"), ("writers",)),
    tables=(
        Table(
            "Increments of one counter",
            (
                *(Column(processes_text(count), str(count), "per_s", "rate", True) for count in COUNTS),
                *(Column(f"p99.9, {count}", str(count), "p999_ns", "ns") for count in COUNTS),
                Column("longest, 8", "8", "max_ns", "ns"),
            ),
            "counter",
        ),
    ),
    store="empty",
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    count = by_count(variant)
    shared = "shared" not in team.adapter.cannot
    team.all_call(count, prepare)
    team.all_call(1 if shared else count, reset)
    results = team.together(count, run_loops, scale.team_seconds)
    counted = [result["all"] for result in results]
    if shared:
        team.call(check_counter, counted=[sum(counted)])
    else:
        team.all_call(count, check_counter, counted=counted)
    return together(results)


def prepare(member: Member, index: int, count: int) -> None:
    each(member, member.store.write, "k, v")([(member.store.key(KEY), 0)])
    prepare_loops(member, member.store.increment, "k", [member.store.key(KEY)] * ITEMS)


def reset(member: Member, index: int, count: int) -> None:
    each(member, member.store.write, "k, v")([(member.store.key(KEY), 0)])


def check_counter(member: Member, counted: list[int], index: int = 0, count: int = 1) -> None:
    """No increment may be lost."""
    check("counter", values(member, member.store.read, [member.store.key(KEY)])[0], counted[index])
