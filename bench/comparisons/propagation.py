# SPDX-License-Identifier: Apache-2.0
"""How long until another process sees a change: half of a round of ping-pong through two keys, both sides spinning."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from harness import check
from suite.distribution import Distribution
from suite.family import SINGLE, Column, Family, Figures, Scale, Table, always
from suite.loops import compiled, each
from suite.member import Member
from suite.team import Team

FAMILY = Family(
    title="Propagation",
    text="From the write in one process to its being seen by another that reads over and over, each on a processor of "
    "its own, and back through a second key. One way is half of the median; a wait lies on one of the ways, so the "
    "others are those of both.",
    variants=("one_way",),
    needs=always("shared", "single", "writers"),
    tables=(
        Table(
            "Propagation",
            (
                Column("p50, one way", "one_way", "p50_ns", "ns", True),
                *(
                    Column(f"{heading}, there and back", "one_way", f"both_{figure}", "ns")
                    for heading, figure in SINGLE[1:]
                ),
            ),
            "propagation",
        ),
    ),
    store="empty",
)
THERE, BACK, END = "ping", "pong", -1
ASK = """
times = []
n = 0
while clock() < deadline:
  n += 1
  started = clock()
  k = there; v = n
  {write}
  k = back
  while {read} != n: pass
  times.append(clock() - started)
k = there; v = end
{write}
return times
"""
ANSWER = """
seen = 0
while True:
  k = there
  v = {read}
  if v == end: return seen
  if v != seen:
    if v != seen + 1: return (seen, v)
    seen = v
    k = back
    {write}
"""


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    asking, answering = team.voices(2)
    asking.tell(begin)
    asking.answer(team.setting.patience)
    answering.tell(answer)
    asking.tell(ask, seconds=scale.team_seconds)
    rounds, figures = asking.answer(team.setting.patience)
    check("rounds of ping-pong", answering.answer(team.setting.patience), rounds)
    result: Figures = figures
    return result


def begin(member: Member) -> None:
    each(member, member.store.write, "k, v")([(member.store.key(key), 0) for key in (THERE, BACK)])


def names(member: Member) -> dict[str, Any]:
    store = member.store
    return {**store.names(), "there": store.key(THERE), "back": store.key(BACK), "end": END}


def ask(member: Member, seconds: float) -> tuple[int, dict[str, float]]:
    clock = time.perf_counter_ns
    there = {**names(member), "clock": clock, "deadline": clock() + int(seconds * 1e9)}
    source = ASK.format(read=member.store.read, write=member.store.write)
    times = compiled(there, source)([])
    figures = Distribution.of(Counter(times)).figures()
    both = {f"both_{name}": figure for name, figure in figures.items()}
    return len(times), both | {"p50_ns": figures["p50_ns"] / 2, "samples": figures["samples"]}


def answer(member: Member) -> Any:
    return compiled(names(member), ANSWER.format(read=member.store.read, write=member.store.write))([])
