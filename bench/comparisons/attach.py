# SPDX-License-Identifier: Apache-2.0
"""Joining a store that others filled, up to the first value read."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import Any

from harness import check
from suite.distribution import Distribution
from suite.family import SINGLE, Column, Family, Figures, Scale, Table, always
from suite.member import Member
from suite.team import Team

TIMES_MIN = 3
FAMILY = Family(
    title="Attaching",
    text="A process that has imported everything opens the filled store by its name and reads one key; then it closes "
    "it, and does so again.",
    variants=("attach",),
    needs=always("keys", "attach"),
    tables=(
        Table(
            "Attach and read one key",
            tuple(Column(heading, "attach", figure, "ns") for heading, figure in SINGLE),
            "attach",
        ),
    ),
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    team.voices(1)
    stranger = team.stranger()
    try:
        stranger.tell(attach, place={**vars(team.setting.place), "count": 1}, seconds=scale.seconds)
        figures: Figures = stranger.answer(team.setting.patience)
        return figures
    finally:
        stranger.close()


def attach(member: Member, place: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The first time imports, and does not count."""
    where, read = replace(member.place, **place), compile(member.adapter.read, "read", "eval")
    times: Counter[int] = Counter()
    deadline = time.perf_counter() + seconds
    rounds = 0
    while rounds <= TIMES_MIN or time.perf_counter() < deadline:
        started = time.perf_counter_ns()
        member.open(where, create=False)
        key = member.store.key("key0")
        answer = eval(read, member.store.names() | {"k": key if member.store.batch == 1 else [key]})
        if rounds:
            times[time.perf_counter_ns() - started] += 1
        check("attach", answer, 0 if member.store.batch == 1 else [0])
        member.close(last=False)
        rounds += 1
    return Distribution.of(times).figures()
