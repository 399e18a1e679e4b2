# SPDX-License-Identifier: Apache-2.0
"""New keys, up to a million, or as many as there is time for."""

from __future__ import annotations

from collections import Counter
from time import perf_counter_ns
from typing import Any

from suite.distribution import Distribution
from suite.family import Column, Family, Figures, Scale, Table, always, single_columns
from suite.loops import check_values, each, each_timed, grouped
from suite.member import Member
from suite.team import Team

PART = 256
FAMILY = Family(
    title="Inserting",
    text="New keys, one by one. The first half is timed as a whole, the second one operation by operation; the last "
    "column says how many there was time for.",
    variants=("new",),
    needs=always("keys", "insert"),
    tables=(
        Table("Insert new keys", (*single_columns("new"), Column("inserted", "new", "inserted", "count")), "insert"),
    ),
    store="empty",
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    figures: Figures = team.call(insert, count=scale.inserts, limit=scale.insert_seconds)
    return figures


def insert(member: Member, count: int, limit: float) -> dict[str, Any]:
    store = member.store
    pairs = [(store.key(f"new{number}"), number) for number in range(count)]
    target = "k, v" if store.batch == 1 else "k"
    loop = each(member, store.write, target)
    half = count // 2
    done, elapsed = timed_parts(loop, member, pairs[:half], limit / 2)
    figures: dict[str, Any] = {"per_s": done / elapsed}
    more, counts = 0, Counter[int]()
    if store.batch == 1:
        timed = each_timed(store.names(), store.write, target)
        more, _ = timed_parts(lambda part: counts.update(timed(part)), member, pairs[half:], limit / 2)
        figures.update(Distribution.of(counts).figures())
    check_values(member, "insert", dict(pairs[:done] + pairs[half : half + more]))
    return {**figures, "inserted": done + more}


def timed_parts(loop: Any, member: Member, pairs: list[Any], seconds: float) -> tuple[int, float]:
    """Parts of growing size until all are in or the time is up: how many, in how many seconds."""
    done, total, size = 0, 0, member.store.batch
    while done < len(pairs) and total < seconds * 1e9:
        part = grouped(member, pairs[done : done + size])
        started = perf_counter_ns()
        loop(part)
        total += perf_counter_ns() - started
        done += len(pairs[done : done + size])
        size = min(size * 2, PART * member.store.batch)
    return done, total / 1e9
