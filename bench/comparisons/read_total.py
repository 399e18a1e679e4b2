# SPDX-License-Identifier: Apache-2.0
"""What several readers reach together, and what part of what as many readers of plain dicts reach.

Those are the same processes, which read the store and a dict of their own in turns: what the machine does meanwhile
falls on both.
"""

from __future__ import annotations

import statistics
import time

from suite.contention import by_count, prepare_loops, run_loops, together
from suite.family import Column, Family, Figures, Scale, Table, always, processes_text
from suite.loops import check_values, chunks, compiled, grouped, throughput, warm_up
from suite.member import Member
from suite.patterns import numbers
from suite.team import Team

COUNTS = (1, 2)
PATTERNS = ("uniform", "hot")
TURNS = 5
PAUSE_SECONDS = 0.01  # between turns: one that takes longer than it should does not make the next one late

FAMILY = Family(
    title="Several readers",
    text="Reads a second of all processes together, of all keys or of one, and in turns with that, what part it is of "
    "the reads of plain dicts by as many processes.",
    variants=tuple(f"{pattern}_{count}" for pattern in PATTERNS for count in COUNTS),
    processes=by_count,
    needs=always("keys", "single"),
    tables=tuple(
        Table(
            f"Total read throughput, {keys}",
            tuple(
                column
                for count in COUNTS
                for column in (
                    Column(processes_text(count), f"{pattern}_{count}", "per_s", "rate", True),
                    Column("part of plain dicts'", f"{pattern}_{count}", "beside_dicts", "share", True),
                )
            ),
            plot,
        )
        for pattern, keys, plot in (("uniform", "all keys", "read-total"), ("hot", "one key", ""))
    ),
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    pattern, count = variant.partition("_")[0], by_count(variant)
    team.all_call(count, prepare, pattern=pattern, keys=team.count)
    figures = together(team.together(count, run_loops, scale.team_seconds))
    team.all_call(count, prepare_turns, pattern=pattern, keys=team.count)
    turns = team.together(count, take_turns, scale.team_seconds + 2 * TURNS * PAUSE_SECONDS)
    return {**figures, "beside_dicts": beside_dicts(turns)}


def order(pattern: str, index: int, keys: int) -> list[int]:
    """The numbers of the keys as one reader takes them: each begins elsewhere."""
    picks = numbers(pattern, keys)
    begin = index * 1000 % len(picks)
    return picks[begin:] + picks[:begin]


def prepare(member: Member, index: int, count: int, pattern: str, keys: int) -> None:
    all_keys, picks = member.keys(keys), order(pattern, index, keys)
    check_values(member, "read", {all_keys[number]: number for number in picks})
    prepare_loops(member, member.store.read, "k", grouped(member, [all_keys[number] for number in picks]))


def prepare_turns(member: Member, index: int, count: int, pattern: str, keys: int) -> None:
    """Beside the loop of the store, which is ready, one of a plain dict with the same content."""
    loop, _, parts, _ = member.ready
    names = [f"key{number}" for number in range(keys)]
    plain = compiled({"d": {name: number for number, name in enumerate(names)}}, "for k in items:\n  d[k]")
    plain_parts = chunks(plain, [names[number] for number in order(pattern, index, keys)])
    warm_up(plain, plain_parts, 1.0)
    member.ready = ((loop, parts), (plain, plain_parts))


def take_turns(member: Member, start: float, seconds: float) -> list[list[float]]:
    """Reads a second of the store and of the plain dict, in each turn."""
    half = seconds / TURNS / 2
    rates: list[list[float]] = [[] for _ in range(TURNS)]
    for turn in range(TURNS):
        for which, (loop, parts) in enumerate(member.ready):
            time.sleep(max(0.0, start + (2 * turn + which) * half - time.monotonic()))
            done, elapsed = throughput(loop, parts, half - PAUSE_SECONDS)
            rates[turn].append(done / elapsed)
    return rates


def beside_dicts(readers: list[list[list[float]]]) -> float:
    """The median over the turns of what all readers reach of the store, to what they reach of plain dicts."""
    ours, theirs = ([sum(reader[turn][which] for reader in readers) for turn in range(TURNS)] for which in (0, 1))
    return statistics.median(one / other for one, other in zip(ours, theirs))
