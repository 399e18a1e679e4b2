# SPDX-License-Identifier: Apache-2.0
"""Reading and writing at once, by one process to eight."""

from __future__ import annotations

import random

from suite.contention import by_count, needs_when_several, neighbour, prepare_loops, run_loops, together
from suite.family import Column, Family, Figures, Scale, Table, processes_text
from suite.loops import check_values
from suite.member import Member
from suite.team import Team

COUNTS = (1, 2, 4, 8)
SHARES = {"95": 5, "50": 50}  # of a hundred operations, those that write
ITEMS = 20_000
ADDED = 2_000_000  # to the number of a key, once and twice in turn: no write finds what it writes
CHECKED = 1_000  # keys that each process writes in the end


def tables() -> tuple[Table, ...]:
    made = []
    for reads, writes in SHARES.items():
        rates = (Column(processes_text(count), f"{reads}_{count}", "per_s", "rate", True) for count in COUNTS)
        waits = (Column(f"p99.9, {count}", f"{reads}_{count}", "p999_ns", "ns") for count in COUNTS)
        made.append(Table(f"{reads} % reads, {writes} % writes", (*rates, *waits), f"mixed-{reads}"))
    return tuple(made)


FAMILY = Family(
    title="Reading and writing at once",
    text="Operations a second of all processes together. Each reads all keys and writes a share of them of its own; "
    "what it writes in the end, while the others still write, is checked by another process.",
    variants=tuple(f"{reads}_{count}" for reads in SHARES for count in COUNTS),
    processes=by_count,
    needs=needs_when_several(("keys", "single"), ("writers",)),
    tables=tables(),
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    count, share = by_count(variant), SHARES[variant.partition("_")[0]]
    team.all_call(count, prepare, share=share, keys=team.count)
    results = team.together(count, run_loops, scale.team_seconds)
    team.all_call(count, check, keys=team.count, finished=[result["finished"] for result in results])
    return together(results)


def operations_of(index: int, count: int, share: int, keys: int) -> list[tuple[int, int | None]]:
    """What one process does: numbers of keys, and the new values of those that it writes."""
    generator = random.Random(index)
    own = range(index, keys, count)
    once = [
        (generator.choice(own), True) if generator.randrange(100) < share else (generator.randrange(keys), False)
        for _ in range(ITEMS)
    ]
    return [(number, number + added if writes else None) for added in (ADDED, 2 * ADDED) for number, writes in once]


def last_of(member: Member, index: int, count: int, keys: int) -> list[tuple[object, int]]:
    """What one process writes in the end: keys of its own, and values that they never had."""
    all_keys = member.keys(keys)
    return [(all_keys[number], number + (2 + count) * ADDED) for number in range(index, keys, count)[:CHECKED]]


def prepare(member: Member, index: int, count: int, share: int, keys: int) -> None:
    store, all_keys = member.store, member.keys(keys)
    items = [(all_keys[number], value) for number, value in operations_of(index, count, share, keys)]
    body = f"if v is None:\n  {store.read}\nelse:\n  {store.write}"
    prepare_loops(member, body, "k, v", items, last_of(member, index, count, keys))


def check(member: Member, index: int, count: int, keys: int, finished: list[int]) -> None:
    """What the neighbour wrote in the end."""
    other = neighbour(index, count, "shared" not in member.store.cannot)
    check_values(member, "mixed", dict(last_of(member, other, count, keys)[: finished[other]]))
