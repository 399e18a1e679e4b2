# SPDX-License-Identifier: Apache-2.0
"""One writer to eight, each with keys of its own: throughput, the longest wait, and how even the shares are."""

from __future__ import annotations

from suite.contention import by_count, needs_when_several, neighbour, prepare_loops, run_loops, together
from suite.family import Column, Family, Figures, Scale, Table, processes_text
from suite.loops import check_values
from suite.member import Member
from suite.team import Team

COUNTS = (1, 2, 4, 8)
KEYS, ITEMS = 500, 10_000
PASSES = ITEMS // KEYS  # each with values of its own: no write finds what it writes
FAMILY = Family(
    title="Several writers",
    text=f"Each writes {KEYS} keys of its own as fast as it can; what it writes in the end, while the others still "
    "write, is checked by another process. Slowest to fastest: the writes of the writer that came least to its turn, "
    "beside those of the one that did most.",
    variants=tuple(map(str, COUNTS)),
    processes=by_count,
    needs=needs_when_several(("keys", "insert", "single"), ("writers",)),
    tables=(
        Table(
            "Writes a second of all writers together",
            tuple(Column(processes_text(count, "writer"), str(count), "per_s", "rate", True) for count in COUNTS),
            "writers",
        ),
        Table(
            "How long one write takes, and fairness",
            (
                *(Column(f"p99.9, {count}", str(count), "p999_ns", "ns") for count in COUNTS),
                Column("longest, 4", "4", "max_ns", "ns"),
                Column("longest, 8", "8", "max_ns", "ns"),
                Column("time in writes over 1 ms, 8", "8", "slow_share", "share"),
                Column("slowest to fastest, 8", "8", "slowest_to_fastest", "share"),
            ),
        ),
    ),
    store="empty",
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    count = by_count(variant)
    team.all_call(count, prepare)
    results = team.together(count, run_loops, scale.team_seconds)
    team.all_call(count, check, finished=[result["finished"] for result in results])
    return together(results)


def pairs(member: Member, index: int, count: int, passed: int) -> list[tuple[object, int]]:
    """The keys of a writer, and their values in one pass over them: others with each number of writers."""
    keys = (member.store.key(f"w{index}-{number}") for number in range(KEYS))
    return [(key, (number * 10 + count) * (PASSES + 1) + passed) for number, key in enumerate(keys)]


def prepare(member: Member, index: int, count: int) -> None:
    items = [pair for passed in range(PASSES) for pair in pairs(member, index, count, passed)]
    prepare_loops(member, member.store.write, "k, v", items, pairs(member, index, count, PASSES))


def check(member: Member, index: int, count: int, finished: list[int]) -> None:
    other = neighbour(index, count, "shared" not in member.store.cannot)
    check_values(member, "writers", dict(pairs(member, other, count, PASSES)[: finished[other]]))
